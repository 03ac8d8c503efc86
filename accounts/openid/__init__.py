"""
OpenID Connect, the relying party's side. allauth speaks the protocol; this package configures it and checks more
(docs/adr/0008-allauth-for-openid-connect.md):

- `calls`: how a provider is called
- `provider`: allauth's provider and adapter for ours
- `id_tokens`: what an ID token is worth
- `sign_in`: a browser's way to the provider and back, with allauth's hooks
"""
