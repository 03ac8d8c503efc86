"""What people do: `conversations` begin and go, `messages` are sent, `reading` moves on, `typing` shows."""
