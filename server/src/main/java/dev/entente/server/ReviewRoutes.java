// SPDX-License-Identifier: Apache-2.0
package dev.entente.server;

import dev.entente.cluster.Authority;
import dev.entente.core.json.Json;
import dev.entente.core.json.JsonAbsent;
import dev.entente.core.json.JsonArray;
import dev.entente.core.json.JsonNumber;
import dev.entente.core.json.JsonObject;
import dev.entente.core.json.JsonString;
import dev.entente.engine.Decision;
import dev.entente.engine.Describe;
import dev.entente.engine.Desk;
import dev.entente.engine.Handling;
import dev.entente.engine.Node;
import dev.entente.engine.Outcome;
import dev.entente.engine.Review;
import dev.entente.engine.ReviewSheet;
import dev.entente.server.Problem.Code;
import dev.entente.server.access.Grant;
import dev.entente.server.access.Permission;
import dev.entente.server.access.Scope;
import dev.entente.server.recovery.Job;
import dev.entente.server.recovery.Jobs;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;

/** The queue of what is left for people. */
final class ReviewRoutes {
  private static final String REVIEW = "/v1/{tenant}/reviews/{review}";

  private static final int NOTE_MAX = 4_000;

  /** The strategies by which many reviews can be decided at once: those that ask nobody. */
  private static final List<String> RULES =
      List.of(
          "last-writer-wins",
          "first-writer-wins",
          "highest-value",
          "lowest-value",
          "sum-of-changes",
          "union",
          "merge",
          "append");

  private final Node node;
  private final Authority authority;

  private final Jobs jobs;
  private final BulkDecisions bulk;
  private final BulkAnswers answers;
  private final Desk desk;

  ReviewRoutes(Node node, Authority authority, Jobs jobs) {
    this.jobs = jobs;
    this.bulk = new BulkDecisions(node, authority);
    this.authority = authority;
    this.node = node;
    this.answers = new BulkAnswers(node);
    this.desk = new Desk(node);
  }

  void addTo(Route.Table routes) {
    routes
        .some(Permission.READ, "GET", "/v1/{tenant}/reviews", this::list)
        .some(Permission.REVIEW, "POST", "/v1/{tenant}/reviews/decisions", this::decideMany)
        .some(Permission.REVIEW, "POST", "/v1/{tenant}/jobs/{job}/undo", this::undo)
        .some(Permission.READ, "GET", REVIEW, this::one)
        .some(Permission.REVIEW, "POST", REVIEW + "/decision", this::decide)
        .some(Permission.REVIEW, "POST", REVIEW + "/reopen", this::reopen)
        .some(Permission.REVIEW, "POST", REVIEW + "/vote", this::vote)
        .some(Permission.REVIEW, "POST", REVIEW + "/assign", this::assign)
        .some(Permission.REVIEW, "POST", REVIEW + "/notes", this::note);
  }

  private Reply list(Call call) {
    String tenant = call.tenant();
    Review.Status status = status(call.query("status").orElse("pending"));
    int limit = call.limit();
    Cursors cursors = Cursors.of(call, "reviews " + status.label(), node.id());
    Optional<byte[]> after = cursors.place();
    ReviewFilter filter = ReviewFilter.of(call);
    boolean all = filter.isEmpty() && call.may(Permission.READ, Grant.ALL);
    Page page = all ? page(tenant, status, after, limit) : filtered(call, filter, after);
    Map<String, Json> members = new TreeMap<>();
    members.put("reviews", Json.of(page.reviews().stream().map(this::describe).toList()));
    if (after.isEmpty() && all) {
      members.put("total", Json.of(node.countReviews(tenant, status)));
    }
    page.next().ifPresent(next -> members.put("next", Json.of(cursors.next(next))));
    Reply reply = Reply.json(200, JsonObject.of(members));
    return page.reviews().isEmpty() && page.next().isEmpty() && after.isEmpty()
        ? UnknownNames.nothingHas(reply, status.label() + " review", filter.names())
        : reply;
  }

  /** Reviews, and where to go on. */
  private record Page(List<Review> reviews, Optional<byte[]> next) {}

  private Page page(String tenant, Review.Status status, Optional<byte[]> after, int limit) {
    List<Review> reviews = node.reviews(tenant, status, after, limit);
    return new Page(
        reviews,
        reviews.size() == limit ? Optional.of(Node.cursor(reviews.getLast())) : Optional.empty());
  }

  /** Looks at a bounded number of reviews; a page may hold few of them and still go on. */
  private Page filtered(Call call, ReviewFilter filter, Optional<byte[]> from) {
    String tenant = call.tenant();
    Review.Status status = status(call.query("status").orElse("pending"));
    Optional<byte[]> after = from;
    List<Review> found = new ArrayList<>();
    long began = System.nanoTime();
    while (System.nanoTime() - began < Limits.SEARCH_NANOS) {
      Page page = page(tenant, status, after, Limits.PAGE_MAX);
      for (Review review : page.reviews()) {
        if (filter.lets(review, node.nowMillis())
            && call.may(Permission.READ, review.key().type())) {
          found.add(review);
          if (found.size() == call.limit()) {
            return new Page(found, Optional.of(Node.cursor(review)));
          }
        }
      }
      if (page.next().isEmpty()) {
        return new Page(found, Optional.empty());
      }
      after = page.next();
    }
    return new Page(found, after);
  }

  private static Review.Status status(String name) {
    for (Review.Status status : Review.Status.values()) {
      if (status.label().equals(name)) {
        return status;
      }
    }
    throw new Problem(Code.INVALID, "status is one of pending, resolved, ignored");
  }

  private JsonObject describe(Review review) {
    Map<String, Json> members = new TreeMap<>();
    members.put("id", Json.of(review.id()));
    members.put("type", Json.of(review.key().type()));
    members.put("recordId", Json.of(review.key().id()));
    members.put("unit", Json.of(review.unit()));
    members.put("status", Json.of(review.status().label()));
    members.put("createdAt", time(review.createdAtMillis()));
    members.put("dueAt", time(review.times().dueAtMillis()));
    members.put("escalateAt", time(review.times().escalateAtMillis()));
    boolean open = review.status() == Review.Status.PENDING;
    members.put("overdue", Json.of(open && node.nowMillis() > review.times().dueAtMillis()));
    members.put("escalated", Json.of(open && node.nowMillis() > review.times().escalateAtMillis()));
    describe(review.handling(), members);
    members.put("conflict", review.conflict());
    review.closing().by().ifPresent(by -> members.put("decidedBy", Json.of(by)));
    Describe.progress(review).forEach(members::put);
    if (!open) {
      members.put("decidedAt", time(review.closing().atMillis()));
      members.put("reason", Json.of(review.closing().reason()));
      members.put("decision", Describe.orNull(review.closing().decision()));
    }
    return JsonObject.of(members);
  }

  private static void describe(Handling handling, Map<String, Json> members) {
    handling.owner().ifPresent(owner -> members.put("owner", Json.of(owner)));
    handling.escalatedTo().ifPresent(to -> members.put("escalatedTo", Json.of(to)));
    members.put("escalations", Json.of(handling.level()));
    members.put("notesCount", Json.of(handling.notes()));
    if (!handling.approvals().isEmpty()) {
      members.put(
          "approvals",
          Json.of(
              handling.approvals().stream()
                  .map(approval ->
                      Json.of(
                          Map.of(
                              "by", Json.of(approval.by()),
                              "at", time(approval.atMillis()),
                              "decision", approval.what(),
                              "reason", Json.of(approval.reason()))))
                  .toList()));
    }
  }

  private static Json time(long millis) {
    return Json.of(Instant.ofEpochMilli(millis).toString());
  }

  private Review find(Call call) {
    return node.review(call.tenant(), call.name("review"))
        .filter(review -> call.may(Permission.READ, review.key().type()))
        .orElseThrow(() -> new Problem(Code.NOT_FOUND, "there is no such review"));
  }

  private Reply one(Call call) {
    return Reply.json(200, whole(find(call)));
  }

  /** A review with its notes, and the record as it is. */
  JsonObject whole(Review review) {
    List<Json> notes = new ArrayList<>();
    for (ReviewSheet.Note note : desk.notes(review)) {
      notes.add(
          Json.of(
              Map.of(
                  "by", Json.of(note.by()),
                  "at", time(note.atMillis()),
                  "text", Json.of(note.text()))));
    }
    return describe(review)
        .with("notes", Json.of(notes))
        .with("twoPersons", Json.of(needsTwo(review)))
        .with("record", Describe.read(node.read(review.key())));
  }

  private Reply decide(Call call) {
    JsonObject body = call.jsonObject();
    Call.only(body, "a decision", Set.of("choose", "value", "remove", "ignore", "reason"));
    Decision decision = decision(body);
    Review review = find(call);
    String by = call.acting(Permission.REVIEW, Scope.of(review.key()));
    String reason = Call.text(body, "reason").orElse("");
    if (needsTwo(review) && !by.equals(call.caller().name())) {
      throw new Problem(
          Code.FORBIDDEN,
          "two persons decide on " + review.unit() + ", each signed in as themselves");
    }
    Decision.Result result = decided(call, decision, by, reason);
    if (result instanceof Decision.Result.NeedsSecond(Review asked, Json what, _)) {
      Writes.await(() -> desk.approve(asked, what, reason, by));
      // Another may have approved meanwhile.
      result = decided(call, decision, by, reason);
    }
    boolean waits = result instanceof Decision.Result.NeedsSecond;
    return Reply.json(waits ? 202 : 200, decided(result));
  }

  /** Takes up a review that somebody ignored. */
  private Reply reopen(Call call) {
    JsonObject body = call.body().length == 0 ? JsonObject.EMPTY : call.jsonObject();
    Call.only(body, "a reopening", Set.of("reason"));
    String by = call.acting(Permission.REVIEW, Scope.of(find(call).key()));
    String reason = Call.text(body, "reason").orElse("");
    return Reply.json(
        200,
        decided(
            Writes.await(() ->
                authority.takeUp(
                    call.tenant(), call.name("review"), by, reason, Writes.fence(call)))));
  }

  private boolean needsTwo(Review review) {
    return node.policy(review.key().tenant(), review.key().type()).needsTwo(review.unit());
  }

  private Decision.Result decided(Call call, Decision decision, String by, String reason) {
    String tenant = call.tenant();
    String id = call.name("review");
    return Writes.await(
        () -> authority.decide(tenant, id, decision, by, reason, Writes.fence(call)));
  }

  private JsonObject decided(Decision.Result result) {
    return switch (result) {
      case Decision.Result.Decided(Review review, var after) ->
          describe(review).with("record", Describe.read(after));
      case Decision.Result.Voted(Review review, var now) ->
          describe(review).with("record", Describe.read(now));
      case Decision.Result.NeedsSecond(Review review, _, var now) ->
          describe(review).with("record", Describe.read(now));
      case Decision.Result.Moved(String message, var now) ->
          throw new Problem(Code.CONFLICT, message, Map.of("current", Describe.read(now)));
      case Decision.Result.Unknown() ->
          throw new Problem(Code.NOT_FOUND, "there is no such review");
      case Decision.Result.Refused(Outcome.Rejected why) -> throw Writes.problem(why);
      case Decision.Result.Invalid(String message) -> throw new Problem(Code.INVALID, message);
    };
  }

  /** A decision in the form in which it is asked for, and approved. */
  static Decision decision(Json body) {
    return decision(body instanceof JsonObject object ? object : JsonObject.EMPTY);
  }

  private static Decision decision(JsonObject body) {
    Json choose = body.get("choose");
    Json value = body.get("value");
    boolean ignore = Call.flag(body, "ignore");
    boolean remove = Call.flag(body, "remove");
    int ways =
        (choose.isAbsent() ? 0 : 1)
            + (value.isAbsent() ? 0 : 1)
            + (ignore ? 1 : 0)
            + (remove ? 1 : 0);
    if (ways != 1) {
      throw new Problem(Code.INVALID, "a decision is one of choose, value, remove or ignore");
    }
    if (ignore) {
      return new Decision.Ignore();
    }
    if (remove) {
      return new Decision.Value(JsonAbsent.ABSENT);
    }
    return switch (choose) {
      case JsonAbsent _ -> new Decision.Value(Call.document(value));
      case JsonNumber number when number.isLong() && Math.abs(number.longValue()) < 1_000_000 ->
          new Decision.Choose((int) number.longValue());
      case JsonString(String text) when text.matches("[0-9]{1,6}") ->
          new Decision.Choose(Integer.parseInt(text));
      case JsonString(String text) -> new Decision.ChooseContext(text);
      default ->
          throw new Problem(
              Code.INVALID, "choose takes an index or the context of a competing value");
    };
  }

  /** Casts a vote, of the author or of another voter who has signed it. */
  private Reply vote(Call call) {
    JsonObject body = call.jsonObject();
    Call.only(body, "a vote", Set.of("choose", "value", "remove", "voter", "signature"));
    String signature = Call.text(body, "signature").orElse("");
    String actor = call.acting(Permission.REVIEW, Scope.of(find(call).key()));
    String voter = Call.text(body, "voter").orElse(actor);
    if (signature.isEmpty() && !voter.equals(actor)) {
      throw new Problem(Code.FORBIDDEN, "a vote for somebody else carries their signature");
    }
    Decision choice =
        decision(new JsonObject(body.members().without("voter").without("signature")));
    return Reply.json(
        200,
        decided(
            Writes.await(() ->
                authority.vote(
                    call.tenant(),
                    call.name("review"),
                    choice,
                    voter,
                    signature,
                    Writes.fence(call)))));
  }

  /**
   * Decides what a filter finds, each by itself; with {@code dryRun} it only says which they are,
   * and in the background it is a job that can be looked at, stopped and taken back.
   */
  private Reply decideMany(Call call) {
    JsonObject body = call.jsonObject();
    Call.only(
        body,
        "a bulk decision",
        Set.of("filter", "choose", "ignore", "rule", "reason", "dryRun", "background"));
    JsonObject asked = body.get("filter") instanceof JsonObject object ? object : JsonObject.EMPTY;
    ReviewFilter filter = ReviewFilter.of(asked);
    if (asked.isEmpty()) {
      throw new Problem(
          Code.INVALID,
          "a bulk decision needs a filter: type, unit, recordId, owner, conflict, row, severity or"
              + " complexity, late");
    }
    String actor = manyAs(call, filter);
    BulkDecisions.Order order =
        new BulkDecisions.Order(
            call.tenant(),
            // What the caller may not decide is not there for them.
            review ->
                filter.lets(review, node.nowMillis())
                    && call.mayAct(Permission.REVIEW, review.key(), actor),
            choice(body),
            Call.text(body, "reason").orElse(""),
            actor,
            Call.flag(body, "dryRun"),
            Writes.fence(call));
    if (Call.flag(body, "background")) {
      return answers.once(
          call,
          () ->
              RecoveryRoutes.begun(
                  jobs,
                  new Job.Order(
                      "decisions",
                      call.tenant(),
                      filter.type().orElse(Grant.ALL),
                      actor,
                      order.dryRun()),
                  call,
                  bulk.work(order)));
    }
    return answers.once(call, () -> carriedOut(order, filter));
  }

  private Reply carriedOut(BulkDecisions.Order order, ReviewFilter filter) {
    List<Json> decided = new ArrayList<>();
    List<Json> skipped = new ArrayList<>();
    bulk.carryOut(
        order,
        new BulkDecisions.Ear(
            () -> {},
            (review, why) -> {
              if (why.isPresent()) {
                skipped.add(Json.of(Map.of("id", review.id(), "reason", why.get())));
              } else {
                decided.add(Json.of(review.id()));
              }
            },
            () -> false));
    Reply reply =
        Reply.json(
            200,
            JsonObject.of(
                Map.of(
                    "decided",
                    new JsonArray(decided),
                    "skipped",
                    new JsonArray(skipped),
                    "dryRun",
                    Json.of(order.dryRun()))));
    return decided.isEmpty() && skipped.isEmpty()
        ? UnknownNames.nothingHas(reply, "pending review", filter.names())
        : reply;
  }

  /** Under whose name many are decided; each review is authorized by itself. */
  private static String manyAs(Call call, ReviewFilter filter) {
    String actor = call.claimedAuthor();
    return filter.type().isEmpty() || actor.equals(call.caller().name())
        ? actor
        : call.acting(Permission.REVIEW, filter.type().get());
  }

  private static BulkDecisions.Choice choice(JsonObject body) {
    Optional<String> rule = Call.text(body, "rule");
    if (rule.isEmpty()) {
      JsonObject choice = JsonObject.EMPTY;
      for (String name : List.of("choose", "ignore")) {
        choice = body.get(name).isAbsent() ? choice : choice.with(name, body.get(name));
      }
      return new BulkDecisions.Choice.Alike(decision(choice));
    }
    if (!body.get("choose").isAbsent() || !body.get("ignore").isAbsent()) {
      throw new Problem(Code.INVALID, "a bulk decision is one of choose, rule or ignore");
    }
    if (!RULES.contains(rule.get())) {
      throw new Problem(Code.INVALID, "rule is one of " + String.join(", ", RULES));
    }
    return new BulkDecisions.Choice.ByRule(rule.get());
  }

  /** Takes back what a job has decided. */
  private Reply undo(Call call) {
    Job job =
        jobs.get(call.tenant(), call.name("job"))
            .filter(found -> call.may(Permission.READ, found.subject()))
            .orElseThrow(() -> new Problem(Code.NOT_FOUND, "there is no such job"));
    String by = call.acting(Permission.REVIEW, job.subject());
    if (!bulk.canUndo(job)) {
      throw new Problem(
          Code.CONFLICT, "the job still runs, decides nothing, or is no longer remembered");
    }
    return RecoveryRoutes.begun(
        jobs,
        new Job.Order("undo", call.tenant(), job.subject(), by, false),
        call,
        bulk.undo(job.id()));
  }

  /** Gives a review to somebody; {@code null} gives it to nobody. */
  private Reply assign(Call call) {
    JsonObject body = call.jsonObject();
    Call.only(body, "an assignment", Set.of("owner"));
    if (body.get("owner").isAbsent()) {
      throw new Problem(Code.INVALID, "an assignment names an owner, or null for nobody");
    }
    String owner = Call.text(body, "owner").map(name -> Call.checkedName("owner", name)).orElse("");
    Review review = open(call);
    String by = call.acting(Permission.REVIEW, Scope.of(review.key()));
    return said(call, Writes.await(() -> desk.assign(review, owner, by)));
  }

  private Reply note(Call call) {
    JsonObject body = call.jsonObject();
    Call.only(body, "a note", Set.of("text"));
    String text = Call.text(body, "text").map(String::strip).orElse("");
    if (text.isEmpty() || text.length() > NOTE_MAX) {
      throw new Problem(Code.INVALID, "a note has a text of 1 to " + NOTE_MAX + " characters");
    }
    Review review = open(call);
    String by = call.acting(Permission.REVIEW, Scope.of(review.key()));
    if (desk.notes(review).size() >= Desk.NOTES_MAX) {
      throw new Problem(Code.CONFLICT, "a review holds " + Desk.NOTES_MAX + " notes at most");
    }
    return said(call, Writes.await(() -> desk.note(review, text, by)));
  }

  private Review open(Call call) {
    Review review = find(call);
    if (review.status() != Review.Status.PENDING) {
      throw new Problem(Code.CONFLICT, "the review was " + review.status().label() + " already");
    }
    return review;
  }

  private Reply said(Call call, Outcome outcome) {
    if (outcome instanceof Outcome.Rejected rejected) {
      throw new Problem(Code.INVALID, rejected.message());
    }
    return Reply.json(200, whole(find(call)));
  }
}
