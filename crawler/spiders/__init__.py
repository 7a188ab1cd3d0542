"""Scrapy's side, thin: pages and list pages."""
