"""A small local web of news sites, made up or captured, and a mailbox: for the demo, the tests and bench/.

Everything here is served on loopback. Of the house's rooms it imports core alone.
"""
