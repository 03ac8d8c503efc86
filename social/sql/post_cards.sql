-- The posts of :ids, as :viewer sees them, for lists that have found out which those may be; no order.
SELECT
-- include social/sql/post_columns.part.sql
  FROM unnest(:ids::uuid[]) AS found (id)
-- include social/sql/post_joins.part.sql
