"""What every one-stop software shares: dossier records, statuses, events, slips, written forms.

Nothing here knows how a vendor's system is reached: connectors read rows and write rows; this turns
rows into events and messages into the values of a vendor's form.
"""
