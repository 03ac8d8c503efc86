"""
Senders: one module per medium, each with `send`; both keep to the development mailbox when
their provider is not set up.
"""
