"""The timeline of an investment is made of its events (`core.Event`)."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("investments", "0003_open_payments")]
    operations = [migrations.DeleteModel("InvestmentEvent")]
