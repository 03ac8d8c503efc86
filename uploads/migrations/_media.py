"""
The view `uploads_media`: all that a `MediaCard` needs of a file, as one JSON array in the order of `outputs.MediaRow`, so
that statements of other apps need not know the columns.

A migration that alters a column named here drops the view first and creates it again.
"""

CREATE = """
CREATE VIEW uploads_media AS
SELECT f.id AS file_id,
       json_build_array(
           f.id, f.storage_name, f.content_type, f.width, f.height,
           f.visibility = 'public' AND f.wrapped_key IS NULL AND (f.state = 'ready' OR f.content_type LIKE 'image/%'),
           f.state, f.placeholder, f.duration_ms, f.alt,
           (SELECT json_agg(json_build_array(r.id, r.kind, r.storage_name, r.width, r.height,
                                             f.visibility = 'public' AND r.wrapped_key IS NULL) ORDER BY r.width, r.id)
              FROM uploads_rendition r
             WHERE r.file_id = f.id AND r.kind <> 'source')) AS media
  FROM uploads f
"""
DROP = "DROP VIEW uploads_media"
