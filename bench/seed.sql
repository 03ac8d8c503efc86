-- A busy platform for the measurements of reads: :rows campaigns, messages, notifications and investments.
-- :viewer is the person who asks. What is theirs stays the same however many rows there are: 500 notifications (50 of
-- them unread), 300 investments, 200 conversations; one conversation holds half of all messages.

SET CONSTRAINTS ALL IMMEDIATE;

CREATE FUNCTION pg_temp.moment(n bigint) RETURNS timestamptz LANGUAGE sql IMMUTABLE AS
    $$ SELECT timestamptz '2026-01-01 00:00:00+00' + n * interval '13 seconds' $$;
-- A UUIDv7 of that moment, always the same for the same table and number.
CREATE FUNCTION pg_temp.id(kind text, n bigint) RETURNS uuid LANGUAGE sql IMMUTABLE AS $$
    SELECT (lpad(to_hex((extract(epoch FROM pg_temp.moment(n)) * 1000)::bigint), 12, '0')
            || '7' || substr(md5(kind || n), 1, 3) || '8' || substr(md5(n || kind), 1, 15))::uuid $$;
CREATE FUNCTION pg_temp.any_person(n bigint) RETURNS uuid LANGUAGE sql IMMUTABLE AS
    $$ SELECT pg_temp.id('person', 1 + (n * 7919) % 2000) $$;

INSERT INTO accounts_user (id, created_at, password, email, first_name, last_name, phone_number, bio, location, website,
        profile_photo, cover_photo, badges, role, status, email_verified_at, identity_verified_at, updated_at)
    SELECT pg_temp.id('person', n), pg_temp.moment(n), '!', 'person' || n || '@bench.example', 'First' || n, 'Last' || n,
           '', 'Some words about me.', 'Lisbon', '', 'https://files.example/' || md5(n::text) || '.jpg', '',
           CASE WHEN n % 3 = 0 THEN '{identity,founder}'::text[] ELSE '{}' END, 'user', 'active',
           pg_temp.moment(n), pg_temp.moment(n), pg_temp.moment(n)
      FROM generate_series(1, 2000) n;

ALTER TABLE campaigns_campaign DISABLE TRIGGER campaign_is_indexed;  -- no measured read searches, and it takes most of the time
SET CONSTRAINTS campaign_terms_have_a_version DEFERRED;
INSERT INTO campaigns_campaign (id, created_at, owner_id, title, slug, summary, description, category_id, currency,
        goal_minor, max_minor, min_investment_minor, starts_at, ends_at, expected_return_percent, status, review_note,
        published_at, closed_at, outcome, settled_at, raised_minor, reserved_minor, investor_count, trend, version,
        updated_at)
    SELECT pg_temp.id('campaign', n), pg_temp.moment(n), pg_temp.any_person(n), 'A campaign of number ' || n,
           'campaign-' || n, 'What it is about, in a sentence or two, as a list of campaigns shows it: number ' || n,
           repeat('A sentence of its description. ', 20), categories[1 + (n % 21)::int], 'EUR',
           5000000, 8000000, 5000, pg_temp.moment(n), pg_temp.moment(n) + interval '400 days', 7.5, status, '',
           pg_temp.moment(n), CASE WHEN status NOT IN ('live', 'draft') THEN pg_temp.moment(n) END,
           CASE WHEN status IN ('funded', 'failed') THEN status WHEN status = 'settled' THEN 'funded' ELSE '' END,
           CASE WHEN status = 'settled' THEN pg_temp.moment(n) END,
           CASE status WHEN 'draft' THEN 0 ELSE n * 7919 % 5000000 END, 0, CASE status WHEN 'draft' THEN 0 ELSE n % 200 END,
           n * 7919 % 100003, 1, pg_temp.moment(n)
      FROM generate_series(1, :rows::bigint) n,
           LATERAL (SELECT array_agg(id ORDER BY position) AS categories FROM campaigns_category) c,
           LATERAL (SELECT CASE WHEN n % 20 = 7 THEN 'draft' WHEN n % 10 < 7 THEN 'live' WHEN n % 10 = 7 THEN 'funded'
                               WHEN n % 10 = 8 THEN 'settled' ELSE 'failed' END AS status) s;
INSERT INTO campaigns_termsversion (id, created_at, campaign_id, version, terms, reason, words)
    SELECT gen_random_uuid(), published_at, id, 1,
           jsonb_build_object('goal_minor', goal_minor, 'max_minor', max_minor, 'min_investment_minor', min_investment_minor,
                              'ends_at', to_char(ends_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"+00:00"'),
                              'expected_return_percent', expected_return_percent::text), 'published', ''
      FROM campaigns_campaign WHERE status <> 'draft';
SET CONSTRAINTS campaign_terms_have_a_version IMMEDIATE;

INSERT INTO uploads (id, created_at, owner_id, purpose, visibility, content_type, size, width, height, fingerprint,
        storage_name)
    SELECT pg_temp.id('file', n), pg_temp.moment(n), pg_temp.any_person(n), 'campaign_media', 'public', 'image/jpeg',
           100000, 1600, 900, decode(md5(n::text), 'hex'), md5('file' || n) || '.jpg'
      FROM generate_series(1, :rows::bigint) n;
INSERT INTO campaigns_campaignmedia (id, created_at, campaign_id, file_id, position)
    SELECT pg_temp.id('media', n), pg_temp.moment(n), pg_temp.id('campaign', n), pg_temp.id('file', n), 0
      FROM generate_series(1, :rows::bigint) n;

-- One for each campaign or so, and twenty for each of the newest fifty.
INSERT INTO campaigns_update (id, created_at, campaign_id, kind, audience, author_role, title, content, publish_at, announced_at)
    SELECT pg_temp.id('update', n), pg_temp.moment(n), pg_temp.id('campaign', CASE WHEN n > 1000 THEN 1 + n * 7919 % :rows
                                                                               ELSE :rows - n % 50 END),
           'update', CASE WHEN n % 4 = 0 THEN 'investors' ELSE 'public' END, 'founder', 'Number ' || n,
           repeat('What has happened since the last time. ', 10), pg_temp.moment(n), pg_temp.moment(n)
      FROM generate_series(1, :rows::bigint + 1000) n;

-- The viewer's conversation i is with person i; the first is a group of twenty-one with half of all messages.
INSERT INTO chat_conversation (id, created_at, type, title, direct_key, last_seq, active_at)
    SELECT pg_temp.id('conversation', i), pg_temp.moment(i), CASE i WHEN 1 THEN 'group' ELSE 'direct' END,
           CASE i WHEN 1 THEN 'Everybody' ELSE '' END, CASE WHEN i > 1 THEN 'bench' || i END,
           CASE i WHEN 1 THEN :rows / 2 ELSE :rows / 2 / 199 END, pg_temp.moment(:rows + i)
      FROM generate_series(1, 200) i;
INSERT INTO chat_member (id, created_at, conversation_id, user_id, role, last_read_seq, muted, cleared_seq)
    SELECT pg_temp.id('me', i), pg_temp.moment(i), pg_temp.id('conversation', i), :viewer, 'owner', 3, false, 0
      FROM generate_series(1, 200) i
    UNION ALL
    SELECT pg_temp.id('other', i), pg_temp.moment(i), pg_temp.id('conversation', i), pg_temp.id('person', i), 'member', 1,
           false, 0
      FROM generate_series(2, 200) i
    UNION ALL
    SELECT pg_temp.id('group', i), pg_temp.moment(i), pg_temp.id('conversation', 1), pg_temp.id('person', i), 'member', 1,
           false, 0
      FROM generate_series(1, 20) i;
INSERT INTO chat_message (id, created_at, conversation_id, seq, sender_id, content, client_id, reply_to_id)
    SELECT pg_temp.id('said', n), pg_temp.moment(n), pg_temp.id('conversation', 1), n,
           pg_temp.id('person', 1 + n % 20), 'Message ' || n || ', with a sentence in it.', pg_temp.id('client', n), NULL::uuid
      FROM generate_series(1, :rows / 2) n
    UNION ALL
    SELECT pg_temp.id('told', i * 1000000 + n), pg_temp.moment(n), pg_temp.id('conversation', i), n,
           pg_temp.id('person', i), 'Message ' || n || ', between the two of us.', pg_temp.id('c' || i, n), NULL::uuid
      FROM generate_series(2, 200) i, generate_series(1, :rows / 2 / 199) n;
-- One in ten answers another.
UPDATE chat_message SET reply_to_id = pg_temp.id('said', seq - 1)
 WHERE conversation_id = pg_temp.id('conversation', 1) AND seq % 10 = 0;

INSERT INTO notifications_notification (id, created_at, event_id, user_id, kind, title, body, data, read_at)
    SELECT pg_temp.id('notice', n), pg_temp.moment(n), pg_temp.id('event', n),
           CASE WHEN n % (:rows / 500) = 0 THEN :viewer ELSE pg_temp.any_person(n) END,
           'campaign_published', 'A campaign is live', 'It can be invested in from now on, says number ' || n,
           jsonb_build_object('campaignId', pg_temp.id('campaign', n), 'title', 'A campaign of number ' || n),
           CASE WHEN n % (:rows / 500) = 0 AND n / (:rows / 500) > 450 THEN NULL ELSE pg_temp.moment(n) END
      FROM generate_series(1, :rows::bigint) n;

INSERT INTO investments_paymentmethod (id, created_at, owner_id, type, provider, token, brand, last4, expiry_month,
        expiry_year, is_default)
    SELECT pg_temp.id('card', n), pg_temp.moment(n), pg_temp.id('person', n), 'card', 'sandbox', 'tok_visa', 'visa', '4242',
           12, 2031, true
      FROM generate_series(1, 2000) n;
INSERT INTO investments_investment (id, created_at, campaign_id, investor_id, method_id, amount_minor, currency, status,
        reference, updated_at)
    SELECT pg_temp.id('investment', n), pg_temp.moment(n), pg_temp.id('campaign', n),
           CASE WHEN n % (:rows / 300) = 0 THEN :viewer ELSE pg_temp.any_person(n) END,
           pg_temp.id('card', 1 + (n * 7919) % 2000), 25000, 'EUR', 'committed',
           'VG-' || upper(lpad(to_hex(n), 8, '0')), pg_temp.moment(n)
      FROM generate_series(1, :rows::bigint) n;
ALTER TABLE ledger_transaction DISABLE TRIGGER USER;
INSERT INTO ledger_transaction (id, created_at, key, phase, kind, reference, description, effective_at, entry_count)
    SELECT pg_temp.id('posting', n), pg_temp.moment(n), 'bench:' || n, 'reserved', 'investment', '', '', pg_temp.moment(n), 2
      FROM generate_series(1, :rows::bigint) n;
ALTER TABLE ledger_transaction ENABLE TRIGGER USER;
INSERT INTO investments_payment (id, created_at, investment_id, provider, key, provider_id, status, captured_minor,
        refunded_minor, reservation_id, action_url, failure_code, expires_at, updated_at)
    SELECT pg_temp.id('payment', n), pg_temp.moment(n), pg_temp.id('investment', n), 'sandbox', 'bench:' || n, 'bench' || n,
           'captured', 25000, 0, pg_temp.id('posting', n), '', '', pg_temp.moment(n), pg_temp.moment(n)
      FROM generate_series(1, :rows::bigint) n;
