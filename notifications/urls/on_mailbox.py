"""/mailbox, development only"""

from django.urls import path

from notifications import mailbox

urlpatterns = [
    path("/", mailbox.mailbox, name="mailbox"),
    path("/messages", mailbox.messages),
    path("/<uuid:message_id>", mailbox.message, name="mailbox-message"),
    path("/<uuid:message_id>/html", mailbox.message_html, name="mailbox-html"),
]
