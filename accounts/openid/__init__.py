"""
OpenID Connect, the relying party's side. allauth speaks the protocol; here is what it is given and what is checked on
top (docs/adr/0008-allauth-for-openid-connect.md):

- `calls`: how a provider is called
- `provider`: allauth's provider and adapter for ours
- `id_tokens`: what an ID token is worth
- `sign_in`: a browser's way to the provider and back, with allauth's hooks
"""
