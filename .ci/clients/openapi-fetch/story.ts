// The main story through openapi-typescript and openapi-fetch.
import createClient, { type Client } from "openapi-fetch";
import type { paths } from "../generated/openapi-fetch/schema.js";
import { approvePayment, BASE, check, lastPart, mailedToken, operator, PASSWORD, picture, until } from "../world.js";

type Api = Client<paths>;

interface Person {
  api: Api;
  id: string;
  email: string;
}

function client(token?: string): Api {
  return createClient<paths>({ baseUrl: BASE, headers: token ? { Authorization: `Bearer ${token}` } : {} });
}

/** The body of a success. */
function given<T>(answer: { data?: T; error?: unknown; response: Response }): T {
  if (answer.data === undefined) {
    throw new Error(`${answer.response.url} answered ${answer.response.status}: ${JSON.stringify(answer.error)}`);
  }
  return answer.data;
}

function form(members: object = {}): FormData {
  const form = new FormData();
  for (const [name, value] of Object.entries(members)) {
    for (const part of Array.isArray(value) ? value : [value]) form.append(name, part);
  }
  return form;
}

async function signUp(firstName: string): Promise<Person> {
  const email = `${firstName}.openapi-fetch@clients.example`.toLowerCase();
  const body = { email, password: PASSWORD, firstName, lastName: "Fetch" };
  given(await client().POST("/api/auth/register", { body }));
  given(await client().POST("/api/auth/verify-email", { body: { token: await mailedToken(email) } }));
  return logIn(email);
}

async function logIn(email: string): Promise<Person> {
  const answer = given(await client().POST("/api/auth/login", { body: { email, password: PASSWORD } }));
  if (!("token" in answer)) throw new Error("a second factor was asked for");
  return { api: client(answer.token), id: answer.user.id, email };
}

async function staff(firstName: string): Promise<Person> {
  const person = await signUp(firstName);
  await operator("grant_role", person.email, "reviewer");
  return logIn(person.email); // a new role ends the sessions of the old one
}

async function sendPapers({ api }: Person, documentNumber: string): Promise<string> {
  const started = given(
    await api.POST("/api/kyc/initiate", {
      body: { documentType: "passport", documentNumber, dateOfBirth: "1989-03-14" },
    }),
  );
  const sent = given(
    await api.POST("/api/kyc/documents", {
      body: { documents: [picture("front"), picture("selfie")], kinds: ["front", "selfie"] },
      bodySerializer: form,
    }),
  );
  check(sent.documents.length === 2, "both papers were taken");
  if (!started.id) throw new Error("a verification without an id");
  return started.id;
}

async function review(verificationId: string, first: Person, second: Person): Promise<void> {
  let cursor: string | undefined;
  for (;;) {
    const page = given(await first.api.GET("/api/kyc/pending", { params: { query: { limit: 1, cursor } } }));
    const found = page.items.find((verification) => verification.id === verificationId);
    for (const document of found?.documents ?? []) {
      const path = { documentId: document.id };
      const link = given(await first.api.GET("/api/kyc/documents/{documentId}/file", { params: { path } }));
      const file = await first.api.GET("/files/{token}", { params: { path: { token: lastPart(link.url) } }, parseAs: "blob" });
      check(given(file).size > 0, "the paper opens");
      given(
        await first.api.PUT("/api/kyc/documents/{documentId}", {
          params: { path },
          body: { status: "verified", notes: "Clear picture." },
        }),
      );
    }
    if (found) break;
    if (!page.nextCursor) throw new Error("the case is not in the queue");
    cursor = page.nextCursor;
  }
  const body = { verificationId, status: "verified", notes: "Face and passport match." } as const;
  check(given(await first.api.PUT("/api/kyc/status", { body })).status === "awaiting_second_review", "four eyes");
  check(given(await second.api.PUT("/api/kyc/status", { body })).status === "verified", "the second reviewer decides");
}

async function addCard({ api }: Person, number: string): Promise<string> {
  const details = { number, expiryMonth: 12, expiryYear: new Date().getUTCFullYear() + 3, cvv: "123" };
  const body = { type: "card", details } as const;
  return given(await api.POST("/api/investments/payment-methods", { body })).id;
}

async function publish({ api }: Person): Promise<string> {
  const draft = given(
    await api.POST("/api/campaigns", {
      body: {
        title: "Solar roofs, by openapi-fetch",
        summary: "Built by neighbours, owned by neighbours.",
        description: "What we make, what it costs, who we are, and what could go wrong.",
        category: "energy",
        goalAmount: "5000",
        minInvestment: "50",
        currency: "USD",
        endsAt: new Date(Date.now() + 30 * 86_400_000).toISOString(),
        media: [picture("cover")],
      },
      bodySerializer: form,
    }),
  );
  check(draft.media.length === 1, "the campaign has its picture");
  const path = { campaignId: draft.id };
  const { response } = await api.GET("/api/campaigns/{campaignId}", { params: { path } });
  const edited = given(
    await api.PUT("/api/campaigns/{campaignId}", {
      params: { path, header: { "If-Match": response.headers.get("ETag") ?? "" } },
      body: { summary: "Owned by those who live under them." },
    }),
  );
  check(edited.summary.startsWith("Owned"), "the draft was edited");
  given(await api.POST("/api/campaigns/{campaignId}/submit", { params: { path } }));
  await operator("publish_campaign", draft.id);
  return draft.id;
}

async function findCampaign({ api }: Person, campaignId: string): Promise<void> {
  let cursor: string | undefined;
  do {
    const query = { limit: 1, cursor, sort: "newest", withTotal: true } as const;
    const page = given(await api.GET("/api/campaigns", { params: { query } }));
    check(page.limit === 1 && page.items.length === 1 && (page.total ?? 0) >= 1, "a page of one");
    if (page.items.some((card) => card.id === campaignId)) return;
    cursor = page.nextCursor ?? undefined;
  } while (cursor);
  throw new Error("the campaign is not in the list");
}

async function invest({ api }: Person, campaignId: string, amount: string, paymentMethodId: string): Promise<string> {
  const made = given(
    await api.POST("/api/campaigns/{campaignId}/invest", {
      params: { path: { campaignId }, header: { "Idempotency-Key": crypto.randomUUID() } },
      body: { amount, paymentMethodId },
    }),
  );
  if (made.status === "requires_action") {
    if (!made.nextAction) throw new Error("3-D Secure without a page");
    await approvePayment(made.nextAction.url);
  }
  await until("the commitment", async () => {
    const params = { path: { investmentId: made.id } };
    const now = given(await api.GET("/api/investments/{investmentId}", { params }));
    return now.status === "committed";
  });
  return made.id;
}

async function talk(from: Person, to: Person): Promise<void> {
  const conversation = given(
    await from.api.POST("/api/chat/conversations", { body: { participants: [to.id], type: "direct" } }),
  );
  const path = { conversationId: conversation.id };
  const send = "/api/chat/conversations/{conversationId}/messages";
  const clientId = crypto.randomUUID();
  const first = given(await from.api.POST(send, { params: { path }, body: { content: "Thank you!", clientId } }));
  check(first.seq === 1 && first.clientId === clientId, "the first message");
  const shown = given(
    await from.api.POST(send, {
      params: { path },
      body: { content: "Our roof", media: [picture("cover")] },
      bodySerializer: form,
    }),
  );
  check(shown.media.length === 1, "the message has its picture");
  const page = given(await to.api.GET(send, { params: { path, query: { limit: 1 } } }));
  check(page.hasMore && page.items[0]?.seq === 2, "the newest message comes first");
  const read = given(
    await to.api.PUT("/api/chat/conversations/{conversationId}/read", { params: { path }, body: { seq: 2 } }),
  );
  check(read.unreadCount === 0, "all is read");
  const list = given(await to.api.GET("/api/chat/conversations"));
  check(list.items.some((card) => card.id === conversation.id), "the conversation is listed");
}

async function meet(author: Person, reader: Person): Promise<void> {
  given(await reader.api.POST("/api/social/users/{userId}/follow", { params: { path: { userId: author.id } } }));
  const post = given(
    await author.api.POST("/api/social/posts", {
      body: { content: "Seen from openapifetch hill. #roofs", media: [picture("cover")], mediaAlt: ["A roof"] },
      bodySerializer: form,
    }),
  );
  check(post.media[0]?.alt === "A roof" && post.shareUrl !== null, "the post has its picture and its page");
  const path = { postId: post.id };
  given(
    await reader.api.POST("/api/social/posts/{postId}/comments", { params: { path }, body: { content: "How high?" } }),
  );
  const liked = given(await reader.api.POST("/api/social/posts/{postId}/like", { params: { path } }));
  check(liked.likedByMe && liked.likeCount === 1 && liked.commentCount === 1, "a like and a comment");
  const shown = given(await author.api.GET("/api/social/posts/{postId}", { params: { path } }));
  check(shown.comments.items[0]?.author?.id === reader.id, "the author reads the comment");

  const group = given(
    await author.api.POST("/api/social/groups", {
      body: { name: "Hills of openapi-fetch", visibility: "public", joinPolicy: "open" },
    }),
  );
  const params = { path: { groupId: group.id } };
  const joined = given(await reader.api.POST("/api/social/groups/{groupId}/join", { params }));
  check(joined.myStatus === "member" && joined.memberCount === 2, "the reader is a member");

  const feed = given(await reader.api.GET("/api/social/feed", { params: { query: { limit: 20 } } }));
  const item = feed.items.find((entry) => entry.post?.id === post.id);
  check(item?.why.kind === "follow" && item.why.id === author.id, "the feed says why");
  const query = { q: "openapifetch", type: "posts" } as const;
  const found = given(await reader.api.GET("/api/social/search", { params: { query } }));
  check(found.items.some((hit) => hit.post?.id === post.id), "the search finds the post");
}

async function withdraw({ api }: Person, investmentId: string, paymentMethodId: string): Promise<void> {
  given(await api.POST("/api/auth/step-up", { body: { password: PASSWORD } }));
  const params = { path: { investmentId } };
  const withdrawal = given(
    await api.POST("/api/investments/{investmentId}/withdraw", { params, body: { amount: "40.25", paymentMethodId } }),
  );
  check(withdrawal.amount === "40.25" && withdrawal.currency === "USD", "the withdrawal, to the cent");
  const { error } = await api.POST("/api/investments/{investmentId}/withdraw", {
    params,
    body: { amount: "100000", paymentMethodId },
  });
  check(error?.code === "withdrawal_too_large", "no more than is there");
}

async function tell(): Promise<void> {
  const founder = await signUp("Amara");
  const backer = await signUp("Mei");
  const [first, second] = [await staff("Ines"), await staff("Tom")];
  for (const [person, number] of [[founder, "OF1000001"], [backer, "OF1000002"]] as const) {
    await review(await sendPapers(person, number), first, second);
    check(given(await person.api.GET("/api/auth/me")).kycVerified, `${person.email} is verified`);
  }
  const photo = { body: { photo: picture("selfie") }, bodySerializer: form };
  check(given(await founder.api.POST("/api/profile/photo", photo)).profilePhoto !== null, "the founder has a photo");

  const campaignId = await publish(founder);
  await findCampaign(backer, campaignId);
  const card = await addCard(backer, "4242424242424242");
  const investmentId = await invest(backer, campaignId, "750.50", card);
  await invest(backer, campaignId, "200", await addCard(backer, "4000000000003220"));
  const mine = given(await backer.api.GET("/api/investments", { params: { query: { limit: 1 } } }));
  check(mine.hasMore && mine.nextCursor !== null, "two investments on two pages");
  const { error } = await backer.api.POST("/api/campaigns/{campaignId}/invest", {
    params: { path: { campaignId } },
    body: { amount: "100", paymentMethodId: await addCard(backer, "4000000000000002") },
  });
  check(error?.code === "payment_declined", `a declined card is told as such, not as ${error?.code}`);

  await talk(founder, backer);
  await meet(founder, backer);
  await withdraw(backer, investmentId, card);
  const inbox = given(await backer.api.GET("/api/notifications", { params: { query: { limit: 5 } } }));
  check(inbox.items.length > 0, "the backer has notices");
  given(await backer.api.POST("/api/auth/logout"));
  check((await backer.api.GET("/api/auth/me")).response.status === 401, "logged out");
}

await tell();
console.log("openapi-fetch: the story holds");
