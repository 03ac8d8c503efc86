"""Services of the chat: `conversations`, `messages`, `reading` (read marks), `typing`."""
