-- A community for the measurements: :posts posts by a tenth as many people, ten likes and two comments a post, with the
-- counts that `manage.py social_verify` finds right. :viewer is the person who asks.
--
-- What belongs to a page that is measured is the same however many posts there are: the author with 200 posts (person 3)
-- and their post with 300 more comments; the viewer follows 200 people, is in 20 groups and 20 channels, blocks 20 people
-- and mutes five. But the group that is measured (3) has a twentieth of all posts. Person 1 is followed by everybody,
-- person 2 by nobody; person 5 follows 10,000 people at most and is in 50 groups.

SET CONSTRAINTS ALL IMMEDIATE;
SET LOCAL maintenance_work_mem = '512MB';
SET LOCAL work_mem = '256MB';

-- All are immutable in the eyes of PostgreSQL too, so that they are put in place and not called a million times.
CREATE FUNCTION pg_temp.moment(ms bigint) RETURNS timestamptz LANGUAGE sql IMMUTABLE AS
    $$ SELECT to_timestamp(ms / 1000.0::float8) $$;
-- A UUIDv7 of a moment, always the same for the same kind and number.
CREATE FUNCTION pg_temp.id(ms bigint, kind text, n bigint) RETURNS uuid LANGUAGE sql IMMUTABLE AS $$
    SELECT overlay(overlay(md5(kind || n::text) PLACING lpad(to_hex(ms), 12, '0') || '7' FROM 1) PLACING '8' FROM 17)::uuid $$;
-- Milliseconds since 1970 of the post of a number: all of them within 300 days.
CREATE FUNCTION pg_temp.ms(n bigint) RETURNS bigint LANGUAGE sql IMMUTABLE AS
    $$ SELECT 1767225600000 + n * (25920000000 / :posts) $$;
CREATE FUNCTION pg_temp.post(n bigint) RETURNS uuid LANGUAGE sql IMMUTABLE AS
    $$ SELECT pg_temp.id(1767225600000 + n * (25920000000 / :posts), 'post', n) $$;
CREATE FUNCTION pg_temp.person(n bigint) RETURNS uuid LANGUAGE sql IMMUTABLE AS
    $$ SELECT pg_temp.id(1764547200000 + n, 'person', n) $$;
CREATE FUNCTION pg_temp.any_person(n bigint) RETURNS uuid LANGUAGE sql IMMUTABLE AS
    $$ SELECT pg_temp.person(1 + n % (:posts / 10)) $$;
CREATE FUNCTION pg_temp.group(n bigint) RETURNS uuid LANGUAGE sql IMMUTABLE AS
    $$ SELECT pg_temp.id(1764547200000 + n, 'group', n) $$;
CREATE FUNCTION pg_temp.channel(n bigint) RETURNS uuid LANGUAGE sql IMMUTABLE AS
    $$ SELECT pg_temp.id(1764547200000 + n, 'channel', n) $$;

-- Indexes of the big tables are made at the end, in one go.
CREATE TEMPORARY TABLE indexes ON COMMIT DROP AS
    SELECT i.indexrelid::regclass::text AS name, pg_get_indexdef(i.indexrelid) AS definition
      FROM pg_index i
     WHERE i.indrelid IN ('social_post'::regclass, 'social_postindex'::regclass, 'social_posttag'::regclass,
                          'social_reaction'::regclass, 'social_comment'::regclass, 'social_follow'::regclass)
       AND NOT EXISTS (SELECT FROM pg_constraint c WHERE c.conindid = i.indexrelid);
DO $$ DECLARE one record; BEGIN
    FOR one IN SELECT * FROM indexes LOOP EXECUTE 'DROP INDEX ' || one.name; END LOOP;
END $$;
-- Rows that refer to rows by the functions above need no look at each; what the triggers of posts write is written below.
DO $$ DECLARE one text; BEGIN
    FOREACH one IN ARRAY ARRAY['social_post', 'social_postindex', 'social_posttag', 'social_postmention', 'social_postmedia',
            'social_postcounts', 'uploads', 'uploads_rendition', 'social_follow', 'social_reaction', 'social_comment',
            'social_commentlike', 'social_commentmention'] LOOP
        EXECUTE 'ALTER TABLE ' || one || ' DISABLE TRIGGER ALL';
    END LOOP;
END $$;

INSERT INTO accounts_user (id, created_at, password, email, first_name, last_name, phone_number, bio, location, website,
        profile_photo, cover_photo, badges, role, status, email_verified_at, updated_at)
    SELECT pg_temp.person(n), timestamptz '2025-12-01', '!', 'person' || n || '@bench.example', 'First' || n, 'Last' || n,
           '', 'Some words about me.', 'Lisbon', '', 'https://files.example/' || md5(n::text) || '.jpg', '',
           CASE WHEN n % 3 = 0 THEN '{identity,founder}'::text[] ELSE '{}' END, 'user', 'active',
           timestamptz '2025-12-01', timestamptz '2025-12-01'
      FROM generate_series(1, :posts / 10) n;

INSERT INTO social_group (id, created_at, name, name_key, description, visibility, join_policy, member_count)
    SELECT pg_temp.group(n), timestamptz '2025-12-01', 'Group ' || n, CASE WHEN n % 3 < 2 THEN 'group ' || n END,
           'People who talk about the roofs of district ' || n, (ARRAY['public', 'private', 'secret'])[1 + n % 3],
           (ARRAY['open', 'request', 'invite'])[1 + n % 3], 0
      FROM generate_series(1, :posts / 200) n;
INSERT INTO social_channel (id, created_at, name, name_key, description, owner_id, subscriber_count)
    SELECT pg_temp.channel(n), timestamptz '2025-12-01', 'Channel ' || n, 'channel ' || n, 'News of district ' || n,
           pg_temp.person(10 + n), 0
      FROM generate_series(1, :posts / 200) n;

-- Where a post is, goes by `place`: 15 % in groups (a third of them in group 3), 10 % in channels, of the rest some for followers or for nobody.
CREATE TEMPORARY TABLE drafts ON COMMIT DROP AS
    SELECT n, j, is_busy, place < 3 AS in_group, place IN (3, 4) AND NOT is_busy AS in_channel,
           CASE WHEN place IN (5, 6) OR place = 3 AND j % 100 = 3 THEN 'followers' WHEN place = 7 THEN 'private' ELSE 'public'
           END AS visibility,
           CASE place WHEN 2 THEN 3 ELSE 1 + (j / 20) % (:posts / 200) END AS place_number, n % 100 = 99 AS is_deleted
      FROM generate_series(1, :posts::bigint) n,
           LATERAL (SELECT n % (:posts / 200) = 0 AS is_busy) b,
           LATERAL (SELECT CASE WHEN is_busy THEN n / (:posts / 200) ELSE n END AS j) k,
           LATERAL (SELECT j % 20 AS place) l;
INSERT INTO social_post (id, created_at, author_id, content, visibility, group_id, channel_id, campaign_id, author_role,
        edited_at, deleted_at, hidden_at, delivered_at)
    SELECT pg_temp.post(n), pg_temp.moment(pg_temp.ms(n)),
           CASE WHEN is_busy THEN pg_temp.person(3) WHEN in_channel THEN pg_temp.person(10 + place_number)
                ELSE pg_temp.any_person(n * 7919 + n / 977 * 31) END,
           CASE WHEN is_deleted THEN '' ELSE concat(
               CASE WHEN n % 10 = 1 THEN '<@' || pg_temp.any_person(n * 31) || '> ' END,
               (SELECT string_agg(words[1 + (64 * power(((n * 7919 + k * 104729 + n * k) % 1000) / 1000.0::float8, 2))::int % 64],
                                  ' ' ORDER BY k) FROM generate_series(1, 12) k),
               ' sunfield', n % 997, CASE WHEN n % 4 = 2 THEN ' #' || words[1 + n % 64] END, '.') END,
           visibility,
           CASE WHEN in_group THEN pg_temp.group(place_number) END,
           CASE WHEN in_channel THEN pg_temp.channel(place_number) END,
           CASE WHEN j % 10 = 9 THEN campaigns[1 + n % cardinality(campaigns)] END,
           CASE WHEN j % 10 = 9 AND n % 50 = 9 THEN 'investor' ELSE '' END,
           CASE WHEN n % 30 = 0 THEN pg_temp.moment(pg_temp.ms(n) + 60000) END,
           CASE WHEN is_deleted THEN pg_temp.moment(pg_temp.ms(n) + 90000) END,
           CASE WHEN n % 1000 = 500 THEN pg_temp.moment(pg_temp.ms(n) + 90000) END,
           pg_temp.moment(pg_temp.ms(n))
      FROM drafts,
           (SELECT array_agg(id) AS campaigns FROM campaigns_campaign) c,
           (SELECT string_to_array('the roof panel village school energy solar harvest of river mill bakery garden orchard '
                || 'invest share profit loan bond repay founder team plan budget water wind turbine battery storage grid meter '
                || 'bike train harbour ship forest timber stone brick house flat rent tenant owner council vote meeting minutes '
                || 'report audit photo video question answer thanks welcome today tomorrow monday winter summer storm sun', ' ')
                AS words) w
     ORDER BY n;

-- What the triggers of a post write: what it is found by, and how many posts its author has for whom.
INSERT INTO social_postindex (post_id, number, words)
    SELECT id, number, social_post_document(content, number)
      FROM (SELECT id, content, row_number() OVER (ORDER BY id) AS number FROM social_post
             WHERE content <> '' AND deleted_at IS NULL) numbered;
SELECT setval('social_post_number', (SELECT max(number) FROM social_postindex));
INSERT INTO social_authorcounts (user_id, public_posts, followers_posts)
    SELECT p.author_id, count(*) FILTER (WHERE social_audience_of(p) = 'public'),
           count(*) FILTER (WHERE social_audience_of(p) = 'followers')
      FROM social_post p WHERE social_audience_of(p) IS NOT NULL GROUP BY p.author_id;

INSERT INTO social_posttag (id, created_at, post_id, tag)
    SELECT pg_temp.id(pg_temp.ms(n), 'tag', n), p.created_at, p.id, substring(p.content FROM '#([a-z]+)')
      FROM drafts JOIN social_post p ON p.id = pg_temp.post(n) WHERE n % 4 = 2 AND NOT is_deleted;
INSERT INTO social_postmention (id, created_at, post_id, user_id)
    SELECT pg_temp.id(pg_temp.ms(n), 'mention', n), pg_temp.moment(pg_temp.ms(n)), pg_temp.post(n), pg_temp.any_person(n * 31)
      FROM drafts WHERE n % 10 = 1 AND NOT is_deleted;
INSERT INTO uploads (id, created_at, owner_id, purpose, visibility, content_type, size, width, height, fingerprint,
        storage_name, is_counted)
    SELECT pg_temp.id(pg_temp.ms(n), 'file', n), p.created_at, p.author_id, 'post', 'public', 'image/jpeg', 100000, 1600, 900,
           decode(md5(n::text), 'hex'), md5('file' || n) || '.jpg', false
      FROM drafts JOIN social_post p ON p.id = pg_temp.post(n)
     WHERE n % 5 = 3 AND NOT is_deleted AND p.visibility = 'public' AND p.group_id IS NULL;
INSERT INTO uploads_rendition (id, created_at, file_id, content_type, size, width, height, storage_name, kind)
    SELECT pg_temp.id((extract(epoch FROM f.created_at) * 1000)::bigint, f.id::text, pixels), f.created_at, f.id, 'image/webp',
           pixels * 50, pixels, pixels * 9 / 16, md5(f.id::text || pixels) || '.webp', 'size'
      FROM uploads f, unnest(ARRAY[320, 640, 1280]) pixels WHERE f.purpose = 'post';
INSERT INTO social_postmedia (id, created_at, post_id, file_id, position)
    SELECT pg_temp.id(pg_temp.ms(n), 'media', n), f.created_at, pg_temp.post(n), f.id, 0
      FROM drafts JOIN uploads f ON f.id = pg_temp.id(pg_temp.ms(n), 'file', n);

INSERT INTO social_reaction (id, created_at, post_id, user_id, emoji)
    SELECT pg_temp.id(pg_temp.ms(n) + k, 'like', n * 100 + k), pg_temp.moment(pg_temp.ms(n) + k), pg_temp.post(n),
           pg_temp.any_person(n * 7919 + k * 104729), CASE k WHEN 11 THEN '🎉' ELSE '👍' END
      FROM generate_series(1, :posts::bigint) n, generate_series(1, CASE WHEN n % 5 = 0 THEN 11 ELSE 10 END) k;

-- The second comment of every other post answers the first.
INSERT INTO social_comment (id, created_at, post_id, parent_id, author_id, content, author_role, replies_count, like_count,
        deleted_at)
    SELECT id, created_at, post_id, parent_id, author_id, content, '', replies_count,
           CASE WHEN hashtext(id::text) % 3 = 0 THEN 2 ELSE 0 END, deleted_at
      FROM (
        SELECT pg_temp.id(pg_temp.ms(n) + k, 'comment', n * 10 + k) AS id, pg_temp.moment(pg_temp.ms(n) + k) AS created_at,
               pg_temp.post(n) AS post_id,
               CASE WHEN k = 2 AND n % 2 = 0 THEN pg_temp.id(pg_temp.ms(n) + 1, 'comment', n * 10 + 1) END AS parent_id,
               pg_temp.any_person(n * 31 + k * 104729) AS author_id,
               CASE WHEN is_deleted THEN '' ELSE 'What comment ' || k || ' says of it.' END AS content,
               CASE WHEN k = 1 AND n % 2 = 0 THEN 1 ELSE 0 END AS replies_count,
               CASE WHEN is_deleted THEN pg_temp.moment(pg_temp.ms(n) + 90000) END AS deleted_at
          FROM generate_series(1, :posts::bigint) n, generate_series(1, 2) k,
               LATERAL (SELECT k = 1 AND n % 50 = 49 AS is_deleted) d
        UNION ALL
        SELECT pg_temp.id(pg_temp.ms(n) + 60000 + k, 'more', k), pg_temp.moment(pg_temp.ms(n) + 60000 + k), pg_temp.post(n),
               NULL, pg_temp.any_person(k * 37),
               'One more comment on the post that everybody reads, number ' || k || '.', 0, NULL
          FROM (SELECT 188 * (:posts / 200)::bigint AS n) busy, generate_series(1, 300) k) made;
INSERT INTO social_commentlike (id, created_at, comment_id, user_id)
    SELECT pg_temp.id((extract(epoch FROM c.created_at) * 1000)::bigint, c.id::text, k), c.created_at, c.id,
           pg_temp.any_person(k * 104729 + abs(hashtext(c.id::text)::bigint))
      FROM social_comment c, generate_series(1, 2) k WHERE hashtext(c.id::text) % 3 = 0;
INSERT INTO social_commentmention (id, created_at, comment_id, user_id)
    SELECT pg_temp.id((extract(epoch FROM c.created_at) * 1000)::bigint, c.id::text, 9), c.created_at, c.id,
           pg_temp.any_person(abs(hashtext(c.id::text)::bigint))
      FROM social_comment c WHERE hashtext(c.id::text) % 20 = 5 AND c.deleted_at IS NULL;

INSERT INTO social_follow (id, created_at, follower_id, followed_id)
    SELECT DISTINCT ON (follower, followed) pg_temp.id(1764547200000 + follower, 'follow', follower * 1000000 + followed),
           timestamptz '2025-12-01', pg_temp.person(follower), pg_temp.person(followed)
      FROM (SELECT n AS follower, 1 + (n * 31 + k * 104729) % (:posts / 10) AS followed
              FROM generate_series(1, :posts::bigint / 10) n, generate_series(1, 20) k
            UNION ALL SELECT n, 1 FROM generate_series(2, :posts::bigint / 10) n
            UNION ALL SELECT 5, 6 + n FROM generate_series(1, least(10000, :posts::bigint / 10 - 6)) n) pairs
     WHERE follower <> followed AND followed <> 2;
INSERT INTO social_follow (id, created_at, follower_id, followed_id)
    SELECT pg_temp.id(1764547200000 + n, 'mine', n), timestamptz '2025-12-01', :viewer, pg_temp.person(n)
      FROM generate_series(3, 202) n;
INSERT INTO accounts_block (id, created_at, blocker_id, blocked_id)
    SELECT pg_temp.id(1764547200000 + n, 'block', n), timestamptz '2025-12-01', :viewer, pg_temp.person(n)
      FROM generate_series(300, 319) n
    UNION ALL
    SELECT pg_temp.id(1764547200000 + n, 'blocks', n), timestamptz '2025-12-01', pg_temp.person(n), pg_temp.person(n + 1)
      FROM generate_series(400, :posts::bigint / 10 - 1, 50) n;
INSERT INTO accounts_mute (id, created_at, muter_id, muted_id)
    SELECT pg_temp.id(1764547200000 + n, 'mute', n), timestamptz '2025-12-01', :viewer, pg_temp.person(n)
      FROM generate_series(40, 44) n;

-- Whoever posted in a group is in it; the first is its owner.
INSERT INTO social_membership (id, created_at, group_id, user_id, role, status, changed_at)
    SELECT pg_temp.id(1764547200000, group_id::text || user_id, 1), timestamptz '2025-12-01', group_id, user_id,
           CASE row_number() OVER (PARTITION BY group_id ORDER BY user_id) WHEN 1 THEN 'owner' ELSE 'member' END, 'member',
           timestamptz '2025-12-01'
      FROM (SELECT group_id, author_id AS user_id FROM social_post WHERE group_id IS NOT NULL
            UNION SELECT pg_temp.group(n), :viewer FROM generate_series(1, 20) n
            UNION SELECT pg_temp.group(n), pg_temp.person(5) FROM generate_series(1, 50) n) members;
INSERT INTO social_channelmember (id, created_at, channel_id, user_id, role)
    SELECT pg_temp.id(1764547200000, channel_id::text || user_id, 1), timestamptz '2025-12-01', channel_id, user_id, min(role)
      FROM (SELECT id AS channel_id, owner_id AS user_id, 'owner' AS role FROM social_channel
            UNION ALL
            SELECT pg_temp.channel(n), pg_temp.any_person(n * 17 + k * 3), 'subscriber'
              FROM generate_series(1, :posts / 200) n, generate_series(1, 50) k
            UNION ALL
            SELECT pg_temp.channel(n), :viewer, 'subscriber' FROM generate_series(1, 20) n) members
     GROUP BY channel_id, user_id;

DO $$ DECLARE one record; BEGIN
    FOR one IN SELECT * FROM indexes LOOP EXECUTE one.definition; END LOOP;
END $$;
DO $$ DECLARE one text; BEGIN
    FOR one IN SELECT DISTINCT tgrelid::regclass::text FROM pg_trigger WHERE tgenabled = 'D' LOOP
        EXECUTE 'ALTER TABLE ' || one || ' ENABLE TRIGGER ALL';
    END LOOP;
END $$;

-- What counts them.
INSERT INTO social_postcounts (post_id, like_count, comment_count, reactions)
    SELECT p.id, COALESCE(r.likes, 0), COALESCE(c.comments, 0), COALESCE(r.reactions, '{}')
      FROM social_post p
      LEFT JOIN (SELECT post_id, sum(n) FILTER (WHERE emoji = '👍') AS likes, jsonb_object_agg(emoji, n) AS reactions
                   FROM (SELECT post_id, emoji, count(*) AS n FROM social_reaction GROUP BY post_id, emoji) each
                  GROUP BY post_id) r ON r.post_id = p.id
      LEFT JOIN (SELECT post_id, count(*) AS comments FROM social_comment WHERE deleted_at IS NULL GROUP BY post_id) c
             ON c.post_id = p.id;
UPDATE social_group g SET member_count = m.n
  FROM (SELECT group_id, count(*) AS n FROM social_membership GROUP BY group_id) m WHERE m.group_id = g.id;
UPDATE social_channel h SET subscriber_count = m.n
  FROM (SELECT channel_id, count(*) AS n FROM social_channelmember GROUP BY channel_id) m WHERE m.channel_id = h.id;
INSERT INTO accounts_profile (user_id, version, followers_count, following_count, posts_count, campaigns_count, preview_drawn_from)
    SELECT u.id, 1, COALESCE(f.n, 0), COALESCE(g.n, 0), COALESCE(p.n, 0), 0, ''
      FROM accounts_user u
      LEFT JOIN (SELECT followed_id, count(*) AS n FROM social_follow GROUP BY 1) f ON f.followed_id = u.id
      LEFT JOIN (SELECT follower_id, count(*) AS n FROM social_follow GROUP BY 1) g ON g.follower_id = u.id
      LEFT JOIN (SELECT author_id, count(*) AS n FROM social_post WHERE deleted_at IS NULL GROUP BY 1) p ON p.author_id = u.id
    ON CONFLICT (user_id) DO UPDATE SET followers_count = excluded.followers_count,
       following_count = excluded.following_count, posts_count = excluded.posts_count;
