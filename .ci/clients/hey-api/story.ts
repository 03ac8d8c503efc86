// The main story through the client of @hey-api/openapi-ts.
import { createClient } from "../generated/hey-api/client/index.js";
import * as api from "../generated/hey-api/sdk.gen.js";
import { approvePayment, BASE, check, lastPart, mailedToken, operator, PASSWORD, picture, until } from "../world.js";

type Client = ReturnType<typeof createClient>;

interface Person {
  client: Client;
  id: string;
  email: string;
}

const throwOnError = true as const;

function clientOf(token?: string): Client {
  return createClient({ baseUrl: BASE, auth: token });
}

async function signUp(firstName: string): Promise<Person> {
  const email = `${firstName}.hey-api@clients.example`.toLowerCase();
  const client = clientOf();
  await api.register({ client, throwOnError, body: { email, password: PASSWORD, firstName, lastName: "Hey" } });
  await api.verifyEmail({ client, throwOnError, body: { token: await mailedToken(email) } });
  return logIn(email);
}

async function logIn(email: string): Promise<Person> {
  const body = { email, password: PASSWORD };
  const { data } = await api.login({ client: clientOf(), throwOnError, body });
  if (!("token" in data)) throw new Error("a second factor was asked for");
  return { client: clientOf(data.token), id: data.user.id, email };
}

async function staff(firstName: string): Promise<Person> {
  const person = await signUp(firstName);
  await operator("grant_role", person.email, "reviewer");
  return logIn(person.email); // a new role ends the sessions of the old one
}

async function sendPapers({ client }: Person, documentNumber: string): Promise<string> {
  const { data: started } = await api.startVerification({
    client,
    throwOnError,
    body: { documentType: "passport", documentNumber, dateOfBirth: "1989-03-14" },
  });
  const { data: sent } = await api.uploadVerificationDocuments({
    client,
    throwOnError,
    body: { documents: [picture("front"), picture("selfie")], kinds: ["front", "selfie"] },
  });
  check(sent.documents.length === 2, "both papers were taken");
  if (!started.id) throw new Error("a verification without an id");
  return started.id;
}

async function review(verificationId: string, first: Person, second: Person): Promise<void> {
  const { client } = first;
  let cursor: string | undefined;
  for (;;) {
    const { data: page } = await api.listPendingVerifications({ client, throwOnError, query: { limit: 1, cursor } });
    const found = page.items.find((verification) => verification.id === verificationId);
    for (const document of found?.documents ?? []) {
      const path = { documentId: document.id };
      const { data: link } = await api.getVerificationDocumentLink({ client, throwOnError, path });
      const { data: file } = await api.downloadFile({ client, throwOnError, path: { token: lastPart(link.url) } });
      check(file.size > 0, "the paper opens");
      await api.reviewVerificationDocument({ client, throwOnError, path, body: { status: "verified", notes: "Clear picture." } });
    }
    if (found) break;
    if (!page.nextCursor) throw new Error("the case is not in the queue");
    cursor = page.nextCursor;
  }
  const body = { verificationId, status: "verified", notes: "Face and passport match." } as const;
  const proposed = await api.decideVerification({ client, throwOnError, body });
  check(proposed.data.status === "awaiting_second_review", "four eyes");
  const decided = await api.decideVerification({ client: second.client, throwOnError, body });
  check(decided.data.status === "verified", "the second reviewer decides");
}

async function addCard({ client }: Person, number: string): Promise<string> {
  const details = { number, expiryMonth: 12, expiryYear: new Date().getUTCFullYear() + 3, cvv: "123" };
  const { data } = await api.addPaymentMethod({ client, throwOnError, body: { type: "card", details } });
  return data.id;
}

async function publish({ client }: Person): Promise<string> {
  const { data: draft } = await api.createCampaign({
    client,
    throwOnError,
    body: {
      title: "Solar roofs, by hey-api",
      summary: "Built by neighbours, owned by neighbours.",
      description: "What we make, what it costs, who we are, and what could go wrong.",
      category: "energy",
      goalAmount: "5000",
      minInvestment: "50",
      currency: "USD",
      endsAt: new Date(Date.now() + 30 * 86_400_000).toISOString(),
      media: [picture("cover")],
    },
  });
  check(draft.media.length === 1, "the campaign has its picture");
  const path = { campaignId: draft.id };
  const { response } = await api.getCampaign({ client, throwOnError, path });
  const { data: edited } = await api.updateCampaign({
    client,
    throwOnError,
    path,
    headers: { "If-Match": response.headers.get("ETag") ?? "" },
    body: { summary: "Owned by those who live under them." },
  });
  check(edited.summary.startsWith("Owned"), "the draft was edited");
  await api.submitCampaign({ client, throwOnError, path });
  await operator("publish_campaign", draft.id);
  return draft.id;
}

async function findCampaign({ client }: Person, campaignId: string): Promise<void> {
  let cursor: string | undefined;
  do {
    const query = { limit: 1, cursor, sort: "newest", withTotal: true } as const;
    const { data: page } = await api.listCampaigns({ client, throwOnError, query });
    check(page.limit === 1 && page.items.length === 1 && (page.total ?? 0) >= 1, "a page of one");
    if (page.items.some((card) => card.id === campaignId)) return;
    cursor = page.nextCursor ?? undefined;
  } while (cursor);
  throw new Error("the campaign is not in the list");
}

async function invest({ client }: Person, campaignId: string, amount: string, method: string): Promise<string> {
  const { data: made } = await api.placeInvestment({
    client,
    throwOnError,
    path: { campaignId },
    headers: { "Idempotency-Key": crypto.randomUUID() },
    body: { amount, paymentMethodId: method },
  });
  if (made.status === "requires_action") {
    if (!made.nextAction) throw new Error("3-D Secure without a page");
    await approvePayment(made.nextAction.url);
  }
  await until("the commitment", async () => {
    const path = { investmentId: made.id };
    const { data: now } = await api.getInvestment({ client, throwOnError, path });
    return now.status === "committed";
  });
  return made.id;
}

async function talk(from: Person, to: Person): Promise<void> {
  const { data: conversation } = await api.startConversation({
    client: from.client,
    throwOnError,
    body: { participants: [to.id], type: "direct" },
  });
  const path = { conversationId: conversation.id };
  const clientId = crypto.randomUUID();
  const sent = { client: from.client, throwOnError, path };
  const { data: first } = await api.sendMessage({ ...sent, body: { content: "Thank you!", clientId } });
  check(first.seq === 1 && first.clientId === clientId, "the first message");
  const { data: shown } = await api.sendMessage({ ...sent, body: { content: "Our roof", media: [picture("cover")] } });
  check(shown.media.length === 1, "the message has its picture");
  const received = { client: to.client, throwOnError, path };
  const { data: page } = await api.listMessages({ ...received, query: { limit: 1 } });
  check(page.hasMore && page.items[0]?.seq === 2, "the newest message comes first");
  const { data: read } = await api.markConversationRead({ ...received, body: { seq: 2 } });
  check(read.unreadCount === 0, "all is read");
  const { data: list } = await api.listConversations({ client: to.client, throwOnError });
  check(list.items.some((card) => card.id === conversation.id), "the conversation is listed");
}

async function meet(author: Person, reader: Person): Promise<void> {
  const [by, seen] = [{ client: author.client, throwOnError }, { client: reader.client, throwOnError }];
  await api.followUser({ ...seen, path: { userId: author.id } });
  const { data: post } = await api.createPost({
    ...by,
    body: { content: "Seen from heyapi hill. #roofs", media: [picture("cover")], mediaAlt: ["A roof"] },
  });
  check(post.media[0]?.alt === "A roof" && post.shareUrl !== null, "the post has its picture and its page");
  const path = { postId: post.id };
  await api.addComment({ ...seen, path, body: { content: "How high?" } });
  const { data: liked } = await api.likePost({ ...seen, path });
  check(liked.likedByMe && liked.likeCount === 1 && liked.commentCount === 1, "a like and a comment");
  const { data: shown } = await api.getPost({ ...by, path });
  check(shown.comments.items[0]?.author?.id === reader.id, "the author reads the comment");

  const { data: group } = await api.createGroup({
    ...by,
    body: { name: "Hills of hey-api", visibility: "public", joinPolicy: "open" },
  });
  const { data: joined } = await api.joinGroup({ ...seen, path: { groupId: group.id } });
  check(joined.myStatus === "member" && joined.memberCount === 2, "the reader is a member");

  const { data: feed } = await api.getFeed({ ...seen, query: { limit: 20 } });
  const item = feed.items.find((entry) => entry.post?.id === post.id);
  check(item?.why.kind === "follow" && item.why.id === author.id, "the feed says why");
  const { data: found } = await api.search({ ...seen, query: { q: "heyapi", type: "posts" } });
  check(found.items.some((hit) => hit.post?.id === post.id), "the search finds the post");
}

async function withdraw({ client }: Person, investmentId: string, paymentMethodId: string): Promise<void> {
  await api.stepUp({ client, throwOnError, body: { password: PASSWORD } });
  const path = { investmentId };
  const body = { amount: "40.25", paymentMethodId };
  const { data: withdrawal } = await api.withdrawInvestment({ client, throwOnError, path, body });
  check(withdrawal.amount === "40.25" && withdrawal.currency === "USD", "the withdrawal, to the cent");
  const { error } = await api.withdrawInvestment({ client, path, body: { amount: "100000", paymentMethodId } });
  check(error?.code === "withdrawal_too_large", "no more than is there");
}

async function tell(): Promise<void> {
  const founder = await signUp("Amara");
  const backer = await signUp("Mei");
  const { client } = backer;
  const [first, second] = [await staff("Ines"), await staff("Tom")];
  for (const [person, number] of [[founder, "HA1000001"], [backer, "HA1000002"]] as const) {
    await review(await sendPapers(person, number), first, second);
    const { data: me } = await api.getMe({ client: person.client, throwOnError });
    check(me.kycVerified, `${person.email} is verified`);
  }
  const photo = { photo: picture("selfie") };
  const { data: profile } = await api.uploadProfilePhoto({ client: founder.client, throwOnError, body: photo });
  check(profile.profilePhoto !== null, "the founder has a photo");

  const campaignId = await publish(founder);
  await findCampaign(backer, campaignId);
  const card = await addCard(backer, "4242424242424242");
  const investmentId = await invest(backer, campaignId, "750.50", card);
  await invest(backer, campaignId, "200", await addCard(backer, "4000000000003220"));
  const { data: mine } = await api.listInvestments({ client, throwOnError, query: { limit: 1 } });
  check(mine.hasMore && mine.nextCursor !== null, "two investments on two pages");
  const { error } = await api.placeInvestment({
    client,
    path: { campaignId },
    body: { amount: "100", paymentMethodId: await addCard(backer, "4000000000000002") },
  });
  check(error?.code === "payment_declined", `a declined card is told as such, not as ${error?.code}`);

  await talk(founder, backer);
  await meet(founder, backer);
  await withdraw(backer, investmentId, card);
  const { data: inbox } = await api.listNotifications({ client, throwOnError, query: { limit: 5 } });
  check(inbox.items.length > 0, "the backer has notices");
  await api.logout({ client, throwOnError });
  check((await api.getMe({ client })).response?.status === 401, "logged out");
}

await tell();
console.log("hey-api: the story holds");
