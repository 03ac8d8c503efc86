"""
How a message leaves the building. One module per channel, each with `send`; both keep to the development mailbox when
their provider is not set up.
"""
