"""`make real`: the unchanged product on captured feeds and pages, which are not part of the project.

1. feeds: every feed file through the reading functions, in the reading workers, with their limits.
2. successive: captures of one feed at many dates, played as one feed through the daemon; nothing may be announced twice.
3. january: feeds with full text of January 2026 and all article pages, collected by the daemon with the shipped rules; every
   address seen must end in a named outcome, and the mails are kept to be looked at.
"""
