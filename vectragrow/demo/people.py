"""Somebody in the story."""

from dataclasses import dataclass

from vectragrow.demo.client import Client


@dataclass
class Person:
    first_name: str
    last_name: str
    role: str
    app: Client
    email: str = ""
    card: str = ""
    passport: str = ""
