"""The archive: schema, migrations, transactions, search, raw pages. The only room that knows SQL."""
