-- Of the documents of :campaign, in their newest versions, those that :investor has not accepted: a list in JSON.
SELECT coalesce(json_agg(json_build_object('id', n.id, 'kind', n.kind, 'version', n.version) ORDER BY n.kind), '[]')::text
  FROM (SELECT DISTINCT ON (kind) id, kind, version FROM campaigns_campaigndocument
         WHERE campaign_id = :campaign::uuid
         ORDER BY kind, version DESC) n
 WHERE NOT EXISTS (SELECT FROM campaigns_documentconsent s
                    WHERE s.document_id = n.id AND s.person_id = :investor::uuid)
