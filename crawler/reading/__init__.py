"""Bytes become a draft: charset, feeds, pages, text, dates, language, credits. Pure: no net, no database."""
