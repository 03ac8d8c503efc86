"""`{% load posts %}`: the words of posts on pages (social/words.py)."""

from django import template

from social.words import html_words, role_label

register = template.Library()
register.filter("words", html_words)
register.filter("role", role_label)
