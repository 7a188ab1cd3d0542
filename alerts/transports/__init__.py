"""The ways a message leaves: by a mail server, a sendmail program, a mail service on the web, or into a folder."""
