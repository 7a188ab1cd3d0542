-- An archive as the first release left it: one article mailed, one waiting, a source with a run.
CREATE TABLE alembic_version ( version_num VARCHAR(32) NOT NULL, CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num) );
CREATE TABLE item ( source VARCHAR(64) NOT NULL, hash BLOB NOT NULL, last_seen DATETIME NOT NULL, PRIMARY KEY (source, hash) ) WITHOUT ROWID;
CREATE TABLE message ( id INTEGER NOT NULL, reader VARCHAR(64) NOT NULL, address TEXT NOT NULL, kind VARCHAR(12) NOT NULL, period_key TEXT NOT NULL, message_id TEXT NOT NULL, subject TEXT NOT NULL, content BLOB NOT NULL, created DATETIME NOT NULL, state VARCHAR(12) NOT NULL, attempts INTEGER NOT NULL, next_try DATETIME NOT NULL, sent DATETIME, last_error TEXT NOT NULL, PRIMARY KEY (id), UNIQUE (message_id), UNIQUE (reader, address, period_key) );
CREATE INDEX message_due ON message (state, next_try);
CREATE TABLE run ( id INTEGER NOT NULL, source VARCHAR(64) NOT NULL, started DATETIME NOT NULL, finished DATETIME, result VARCHAR(20) NOT NULL, detail TEXT NOT NULL, seen INTEGER NOT NULL, counts JSON NOT NULL, PRIMARY KEY (id) );
CREATE INDEX run_source ON run (source, started);
CREATE TABLE setting ( "key" VARCHAR(64) NOT NULL, value JSON NOT NULL, PRIMARY KEY ("key") );
CREATE TABLE source ( "key" VARCHAR(64) NOT NULL, next_due DATETIME NOT NULL, etag TEXT NOT NULL, last_modified TEXT NOT NULL, body_hash BLOB, baseline_ended DATETIME, failures INTEGER NOT NULL, last_run DATETIME, last_good DATETIME, last_new DATETIME, last_error TEXT NOT NULL, PRIMARY KEY ("key") );
CREATE INDEX source_due ON source (next_due);
CREATE TABLE story ( id INTEGER NOT NULL, opened DATETIME NOT NULL, PRIMARY KEY (id) );
CREATE TABLE article ( id INTEGER NOT NULL, index_row BIGINT NOT NULL, story_id INTEGER NOT NULL, copy_of INTEGER, language VARCHAR(8) NOT NULL, at DATETIME NOT NULL, discovered DATETIME NOT NULL, updated DATETIME, source VARCHAR(64) NOT NULL, outlet TEXT NOT NULL, outlet_folded TEXT NOT NULL, baseline BOOLEAN NOT NULL, matched BOOLEAN DEFAULT 0 NOT NULL, watchlist_version VARCHAR(16) NOT NULL, text_hash BLOB NOT NULL, weight INTEGER NOT NULL, extent VARCHAR(8) NOT NULL, extent_reason TEXT NOT NULL, published DATETIME, published_precision VARCHAR(8), published_origin VARCHAR(8), published_zone TEXT, published_zone_stated BOOLEAN, url TEXT NOT NULL, canonical_url TEXT NOT NULL, title TEXT NOT NULL, authors JSON NOT NULL, credit TEXT NOT NULL, reasons JSON NOT NULL, signature BLOB NOT NULL, summary TEXT NOT NULL, text TEXT NOT NULL, PRIMARY KEY (id), FOREIGN KEY(copy_of) REFERENCES article (id), FOREIGN KEY(story_id) REFERENCES story (id), UNIQUE (canonical_url), UNIQUE (index_row) );
CREATE INDEX article_at ON article (at);
CREATE INDEX article_discovered ON article (discovered);
CREATE INDEX article_source ON article (source, at);
CREATE INDEX article_story ON article (story_id);
CREATE INDEX article_text_hash ON article (text_hash);
CREATE INDEX article_unmatched ON article (id) WHERE matched = 0;
CREATE INDEX article_watchlist ON article (watchlist_version);
CREATE TABLE address ( id INTEGER NOT NULL, canonical_url TEXT NOT NULL, url TEXT NOT NULL, source VARCHAR(64) NOT NULL, title TEXT NOT NULL, first_seen DATETIME NOT NULL, last_seen DATETIME NOT NULL, outcome VARCHAR(20) NOT NULL, reason TEXT NOT NULL, attempts INTEGER NOT NULL, next_try DATETIME, article_id INTEGER, entry_fingerprint TEXT NOT NULL, entry JSON, PRIMARY KEY (id), FOREIGN KEY(article_id) REFERENCES article (id), UNIQUE (canonical_url) );
CREATE INDEX address_article ON address (article_id);
CREATE INDEX address_retry ON address (next_try) WHERE next_try IS NOT NULL;
CREATE TABLE band ( hash BIGINT NOT NULL, article_id INTEGER NOT NULL, PRIMARY KEY (hash, article_id), FOREIGN KEY(article_id) REFERENCES article (id) ) WITHOUT ROWID;
CREATE INDEX band_article ON band (article_id);
CREATE TABLE "match" ( id INTEGER NOT NULL, rule VARCHAR(64) NOT NULL, reader VARCHAR(64) NOT NULL, article_id INTEGER NOT NULL, story_id INTEGER NOT NULL, at DATETIME NOT NULL, state VARCHAR(12) NOT NULL, message_id INTEGER, PRIMARY KEY (id), FOREIGN KEY(article_id) REFERENCES article (id), FOREIGN KEY(message_id) REFERENCES message (id), UNIQUE (rule, reader, article_id) );
CREATE INDEX match_article ON "match" (article_id);
CREATE INDEX match_story ON "match" (reader, rule, story_id);
CREATE INDEX match_waiting ON "match" (reader, state);
CREATE TABLE mention ( entity VARCHAR(64) NOT NULL, article_id INTEGER NOT NULL, PRIMARY KEY (entity, article_id), FOREIGN KEY(article_id) REFERENCES article (id) ) WITHOUT ROWID;
CREATE INDEX mention_article ON mention (article_id);
CREATE TABLE version ( id INTEGER NOT NULL, article_id INTEGER NOT NULL, index_row BIGINT NOT NULL, until DATETIME NOT NULL, title TEXT NOT NULL, text TEXT NOT NULL, summary TEXT NOT NULL, PRIMARY KEY (id), FOREIGN KEY(article_id) REFERENCES article (id), UNIQUE (index_row) );
CREATE INDEX version_article ON version (article_id);
CREATE TABLE guid ( source VARCHAR(64) NOT NULL, guid TEXT NOT NULL, address_id INTEGER NOT NULL, PRIMARY KEY (source, guid), FOREIGN KEY(address_id) REFERENCES address (id) );
CREATE TABLE raw_page ( id INTEGER NOT NULL, address_id INTEGER NOT NULL, fetched DATETIME NOT NULL, file TEXT NOT NULL, "offset" BIGINT NOT NULL, bytes INTEGER NOT NULL, PRIMARY KEY (id), FOREIGN KEY(address_id) REFERENCES address (id) );
CREATE INDEX raw_page_address ON raw_page (address_id);
CREATE TABLE sighting ( id INTEGER NOT NULL, address_id INTEGER NOT NULL, run_id INTEGER, source VARCHAR(64) NOT NULL, at DATETIME NOT NULL, outcome VARCHAR(20) NOT NULL, reason TEXT NOT NULL, PRIMARY KEY (id), FOREIGN KEY(address_id) REFERENCES address (id), FOREIGN KEY(run_id) REFERENCES run (id) );
CREATE INDEX sighting_address ON sighting (address_id);
CREATE VIRTUAL TABLE article_index USING fts5(title, body, authors, content='', tokenize='ascii');
INSERT INTO article_index(article_index, rank) VALUES ('automerge', 8);
INSERT INTO alembic_version VALUES ('0001');
INSERT INTO setting VALUES ('archive.created', '"2026-01-05T08:00:00+00:00"');
INSERT INTO source (key, next_due, etag, last_modified, failures, last_error) VALUES ('news', '2026-01-06 08:00:00', 'W/"1"', '', 0, '');
INSERT INTO run VALUES (1, 'news', '2026-01-05 08:00:00', '2026-01-05 08:00:09', 'ok', '', 2, '{"new": 2}');
INSERT INTO story VALUES (1, '2026-01-05 08:00:01'), (2, '2026-01-05 08:00:02');
INSERT INTO article VALUES
  (1, 1855426560000000000, 1, NULL, 'en', '2026-01-05 07:00:00', '2026-01-05 08:00:01', NULL, 'news', 'News', 'news', 0, 1, '1',
   X'01', 40, 'full', '', '2026-01-05 07:00:00', 'minute', 'feed', 'UTC', 1, 'https://news.test/1', 'https://news.test/1',
   'A lake freezes over', '[]', '', '["a trial"]', X'', '', 'The lake froze on Sunday night.'),
  (2, 1855426560000000001, 2, NULL, 'zh-Hans', '2026-01-05 07:00:00', '2026-01-05 08:00:02', NULL, 'news', 'News', 'news', 0, 1, '1',
   X'02', 40, 'full', '', NULL, NULL, NULL, NULL, NULL, 'https://news.test/2', 'https://news.test/2',
   '湖面结冰', '[]', '', '["a trial"]', X'', '', '周日夜里湖面结冰。');
INSERT INTO address VALUES
  (1, 'https://news.test/1', 'https://news.test/1', 'news', '', '2026-01-05 08:00:01', '2026-01-05 08:00:01', 'new', '', 0, NULL, 1, '', NULL),
  (2, 'https://news.test/2', 'https://news.test/2', 'news', '', '2026-01-05 08:00:02', '2026-01-05 08:00:02', 'new', '', 0, NULL, 2, '', NULL);
INSERT INTO sighting VALUES (1, 1, 1, 'news', '2026-01-05 08:00:01', 'new', ''), (2, 2, 1, 'news', '2026-01-05 08:00:02', 'new', '');
INSERT INTO message VALUES (1, 'ann', 'ann@example.org', 'now', 'now lakes 1', '<1@jingbao>', 'Lakes', X'41', '2026-01-05 08:01:00',
  'sent', 1, '2026-01-05 08:01:00', '2026-01-05 08:01:01', '');
INSERT INTO match VALUES (1, 'lakes', 'ann', 1, 1, '2026-01-05 08:00:30', 'mailed', 1),
  (2, 'lakes', 'ann', 2, 2, '2026-01-05 08:00:30', 'waiting', NULL);
INSERT INTO article_index (rowid, title, body, authors) VALUES (1855426560000000000, 'a lake freezes over', 'the lake froze on sunday night', ''),
  (1855426560000000001, '湖面 面结 结冰 冰', '周日 日夜 夜里 里湖 湖面 面结 结冰 冰', '');
