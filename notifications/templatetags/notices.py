"""What the texts of notices need."""

from django import template

from core.devices import device_name

register = template.Library()
register.filter(device_name)
