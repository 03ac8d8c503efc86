"""
Realistic demo data, made the way client apps make it: the public API, the websocket, the documented commands.

Nothing here touches a model: whatever the demo shows, a client developer can do as well. `story.py` is worth reading
as an example of a client.
"""
