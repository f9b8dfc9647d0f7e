// SPDX-License-Identifier: Apache-2.0
package dev.entente.engine;

import dev.entente.core.codec.ByteReader;
import dev.entente.core.codec.JsonCodec;
import dev.entente.core.json.Json;
import dev.entente.core.json.JsonAbsent;
import dev.entente.core.json.JsonObject;
import dev.entente.core.policy.Policy;
import dev.entente.core.policy.ReviewTerms;
import dev.entente.core.record.RecordKey;
import dev.entente.core.resolve.Resolution;
import dev.entente.engine.Review.Status;
import dev.entente.engine.codec.Keys;
import dev.entente.engine.store.Store;
import dev.entente.engine.store.Table;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The queue of conflicts that wait for people. It follows the views: a pending conflict has a
 * pending review, and a review whose conflict moved on is closed, or goes on under the new
 * conflict's id with its age and owner.
 */
final class ReviewBook {
  private final Store store;
  private final Consumer<NodeEvent> observers;

  /** How many reviews stand where, by tenant and status; what the index says, without a scan. */
  private final Map<String, LongAdder> counts = new ConcurrentHashMap<>();

  private final OpenReviews open = new OpenReviews();

  /** When the policy goes on by itself with the next of them; early rather than late. */
  private final AtomicLong nextDueMillis = new AtomicLong();

  ReviewBook(Store store, Consumer<NodeEvent> observers) {
    this.store = store;
    this.observers = observers;
    store.scan(
        Table.REVIEW_INDEX,
        new byte[0],
        (key, _) -> {
          String tenant = Keys.firstName(key);
          String status = Keys.firstName(behindFirst(key));
          add(tenant, status, 1);
          if (status.equals(Status.PENDING.label())) {
            open.change(Optional.empty(), get(tenant, idIn(key, Keys.of(tenant, status))));
          }
          return true;
        });
  }

  /** What follows the first name of a key. */
  private static byte[] behindFirst(byte[] key) {
    int end = 0;
    while (key[end] != 0) {
      end++;
    }
    return Arrays.copyOfRange(key, end + 1, key.length);
  }

  private void add(String tenant, String status, int change) {
    counts.computeIfAbsent(tenant + '/' + status, _ -> new LongAdder()).add(change);
  }

  /** Brings the queue in line with a record that changed. */
  void follow(
      Transaction transaction,
      Snapshot before,
      Snapshot after,
      Policy policy,
      String actor,
      long nowMillis) {
    Map<String, Resolution> was = pending(before);
    Map<String, Resolution> is = pending(after);
    if (was.isEmpty() && is.isEmpty()) {
      return;
    }
    RecordKey key = after.key();
    Map<String, Review> moved = new HashMap<>();
    was.forEach((id, resolution) -> {
      if (!is.containsKey(id)) {
        get(transaction, key.tenant(), id)
            .filter(review -> review.status() == Status.PENDING)
            .ifPresent(review -> {
              moved.put(review.unit(), review);
              boolean goesOn =
                  is.values().stream().anyMatch(r -> r.conflict().label().equals(review.unit()));
              String why =
                  goesOn
                      ? "another value joined; it goes on under a new id"
                      : "settled by a later write";
              close(transaction, review, Status.RESOLVED, actor, nowMillis, why, JsonAbsent.ABSENT);
            });
      }
    });
    is.forEach((id, resolution) -> {
      if (!was.containsKey(id)
          && get(transaction, key.tenant(), id)
              .filter(r -> r.status() == Status.PENDING)
              .isEmpty()) {
        open(
            transaction,
            key,
            id,
            resolution,
            policy,
            moved.get(resolution.conflict().label()),
            nowMillis);
      }
    });
  }

  private static Map<String, Resolution> pending(Snapshot snapshot) {
    Map<String, Resolution> pending = Map.of();
    for (Resolution resolution : snapshot.view().resolutions()) {
      if (resolution.isPending()) {
        pending = pending.isEmpty() ? new HashMap<>() : pending;
        pending.put(resolution.conflict().id(), resolution);
      }
    }
    return pending;
  }

  private void open(
      Transaction transaction,
      RecordKey key,
      String id,
      Resolution resolution,
      Policy policy,
      @Nullable Review continued,
      long nowMillis) {
    long since = continued == null ? nowMillis : continued.createdAtMillis();
    write(
        transaction,
        new Review(
            id,
            key,
            resolution.conflict().label(),
            Review.Times.from(since, policy.review()),
            handling(transaction, id, continued),
            Describe.conflict(key, resolution),
            Review.Closing.OPEN,
            Proceedings.begin(resolution, policy, nowMillis)));
  }

  /** Opens the review of something that no view shows. */
  void open(
      Transaction transaction,
      String id,
      RecordKey key,
      String unit,
      Policy policy,
      Json described,
      Progress progress,
      long nowMillis) {
    write(
        transaction,
        new Review(
            id,
            key,
            unit,
            Review.Times.from(nowMillis, policy.review()),
            handling(transaction, id, null),
            described,
            Review.Closing.OPEN,
            progress));
  }

  /** What is known of who has it: from before another value joined, and from what people said. */
  private static Handling handling(Transaction transaction, String id, @Nullable Review continued) {
    Handling before =
        continued == null ? Handling.NONE : continued.handling().goingOn(continued.id());
    ReviewSheet sheet = ReviewSheet.of(transaction.snapshot(ReviewSheet.key(id)));
    return sheet.tenant().isEmpty() ? before : before.with(sheet);
  }

  /** Takes up what people said of a review, here or at another node. */
  void handle(Transaction transaction, ReviewSheet was, Snapshot said, String actor) {
    ReviewSheet sheet = ReviewSheet.of(said);
    Optional<Review> found =
        get(transaction, sheet.tenant(), said.key().id())
            .filter(review -> review.status() == Status.PENDING);
    if (found.isEmpty()) {
      return;
    }
    Review review = found.get().with(found.get().handling().with(sheet));
    write(transaction, review);
    Map<String, Json> detail = new TreeMap<>();
    detail.put("review", Json.of(review.id()));
    if (!was.owner().equals(sheet.owner())) {
      detail.put("owner", Json.of(sheet.owner().orElse("")));
      transaction.afterwards(() -> observers.accept(new NodeEvent.ReviewAssigned(review)));
    }
    List<ReviewSheet.Note> notes = new ArrayList<>(sheet.notes());
    notes.removeAll(was.notes());
    notes.forEach(note -> detail.put("note", Json.of(note.text())));
    List<ReviewSheet.Approval> approvals = new ArrayList<>(sheet.approvals());
    approvals.removeAll(was.approvals());
    for (ReviewSheet.Approval approval : approvals) {
      detail.put("approved", approval.what());
      transaction.afterwards(
          () -> observers.accept(new NodeEvent.ReviewApproved(review, approval)));
    }
    transaction.audit(
        transaction.clock().next(),
        sheet.tenant(),
        actor,
        "review",
        review.key().toString(),
        JsonObject.of(detail));
  }

  /** Hands a review that waited too long to the next who is named for that; as it is then. */
  Review escalate(Transaction transaction, Review review, ReviewTerms terms, long nowMillis) {
    int level = review.handling().level();
    long since = review.createdAtMillis();
    while (level < terms.steps()
        && since + (level + 1) * terms.escalateAfter().toMillis() <= nowMillis) {
      level++;
    }
    if (level < terms.steps()) {
      lookAgain(transaction, review, since + (level + 1) * terms.escalateAfter().toMillis());
    }
    if (level == review.handling().level()) {
      return review;
    }
    Optional<String> whom =
        terms.escalateTo().isEmpty()
            ? Optional.empty()
            : Optional.of(terms.escalateTo().get(level - 1));
    Review escalated = review.with(review.handling().escalated(level, whom));
    write(transaction, escalated);
    Map<String, Json> detail = new TreeMap<>();
    detail.put("review", Json.of(review.id()));
    detail.put("level", Json.of(level));
    whom.ifPresent(name -> detail.put("escalatedTo", Json.of(name)));
    transaction.audit(
        transaction.clock().next(),
        review.key().tenant(),
        Proceedings.POLICY,
        "escalation",
        review.key().toString(),
        JsonObject.of(detail));
    transaction.afterwards(() -> observers.accept(new NodeEvent.ReviewEscalated(escalated)));
    return escalated;
  }

  void write(Transaction transaction, Review review) {
    String tenant = review.key().tenant();
    Optional<Review> before = get(transaction, tenant, review.id());
    transaction.put(
        Table.REVIEWS, Keys.of(tenant, review.id()), JsonCodec.toBytes(review.toJson()));
    index(transaction, before, review);
    transaction.afterwards(() -> open.change(before, Optional.of(review)));
    Polls.follow(transaction, review);
    long nextAt = review.progress().nextAtMillis();
    if (nextAt > 0 && review.status() == Status.PENDING) {
      lookAgain(transaction, review, nextAt);
    }
  }

  private void index(Transaction transaction, Optional<Review> before, Review review) {
    String tenant = review.key().tenant();
    byte[] key = indexKey(review);
    Optional<byte[]> old = before.map(ReviewBook::indexKey);
    if (old.isPresent() && Arrays.equals(old.get(), key)) {
      return;
    }
    old.ifPresent(gone -> transaction.delete(Table.REVIEW_INDEX, gone));
    transaction.append(Table.REVIEW_INDEX, key, new byte[0]);
    transaction.afterwards(() -> {
      before.ifPresent(was -> add(tenant, was.status().label(), -1));
      add(tenant, review.status().label(), 1);
    });
    if (review.status() == Status.PENDING) {
      lookAgain(transaction, review, review.times().escalateAtMillis());
      transaction.afterwards(() -> observers.accept(new NodeEvent.ReviewOpened(review)));
    }
  }

  /** Has a review come up among those that are due at a moment. */
  void lookAgain(Transaction transaction, Review review, long atMillis) {
    byte[] due = Keys.with(Keys.of(atMillis), Keys.of(review.key().tenant(), review.id()));
    transaction.append(Table.DUE, due, new byte[0]);
    transaction.afterwards(() -> nextDueMillis.accumulateAndGet(atMillis, Math::min));
  }

  Review close(
      Transaction transaction,
      Review review,
      Status as,
      String by,
      long atMillis,
      String why,
      Json decision) {
    Review closed = review.closed(as, by, atMillis, why, decision);
    write(transaction, closed);
    transaction.afterwards(() -> observers.accept(new NodeEvent.ReviewClosed(closed)));
    return closed;
  }

  /** Lets go of reviews that were closed before a moment; at most so many, and says how many. */
  int forget(Transaction transaction, String tenant, long beforeMillis, int limit) {
    int gone = 0;
    for (Status status : List.of(Status.RESOLVED, Status.IGNORED)) {
      for (Review review : closedBefore(tenant, status, beforeMillis, limit - gone)) {
        // Read again: it may have been opened anew since.
        if (get(transaction, tenant, review.id()).equals(Optional.of(review))) {
          forget(transaction, review);
          gone++;
        }
      }
    }
    return gone;
  }

  private void forget(Transaction transaction, Review review) {
    String tenant = review.key().tenant();
    transaction.delete(Table.REVIEWS, Keys.of(tenant, review.id()));
    transaction.delete(Table.REVIEW_INDEX, indexKey(review));
    transaction.afterwards(() -> {
      add(tenant, review.status().label(), -1);
      open.change(Optional.of(review), Optional.empty());
    });
  }

  /** Lets go of a review, whatever it waits for; false where there is none. */
  boolean forget(Transaction transaction, String tenant, String id) {
    Optional<Review> review = get(transaction, tenant, id);
    review.ifPresent(found -> forget(transaction, found));
    return review.isPresent();
  }

  /** All reviews of records of a tenant. Reads all of the tenant's. */
  List<Review> of(String tenant, Set<RecordKey> keys) {
    List<Review> found = new ArrayList<>();
    store.scan(
        Table.REVIEWS,
        Keys.of(tenant),
        (_, bytes) -> {
          Review review = Review.fromJson(JsonCodec.fromBytes(bytes));
          if (keys.contains(review.key())) {
            found.add(review);
          }
          return true;
        });
    return found;
  }

  private List<Review> closedBefore(String tenant, Status status, long beforeMillis, int limit) {
    List<Review> found = new ArrayList<>();
    byte[] prefix = Keys.of(tenant, status.label());
    store.scan(
        Table.REVIEW_INDEX,
        prefix,
        (key, _) -> {
          if (found.size() >= limit
              || new ByteReader(Arrays.copyOfRange(key, prefix.length, key.length)).u64()
                  >= beforeMillis) {
            return false;
          }
          get(tenant, idIn(key, prefix))
              .filter(review -> review.closing().atMillis() < beforeMillis)
              .ifPresent(found::add);
          return true;
        });
    return found;
  }

  private static String idIn(byte[] key, byte[] prefix) {
    int begin = prefix.length + Long.BYTES;
    return new String(key, begin, key.length - begin, StandardCharsets.UTF_8);
  }

  /** Works the index out again from the reviews; while nothing else uses the store. */
  static void rebuildIndex(Store store) {
    store.clear(Table.REVIEW_INDEX);
    Backfill.all(
        store,
        Table.REVIEWS,
        (batch, _, bytes) ->
            batch.put(
                Table.REVIEW_INDEX,
                indexKey(Review.fromJson(JsonCodec.fromBytes(bytes))),
                new byte[0]));
  }

  private static byte[] indexKey(Review review) {
    return Keys.with(
        Keys.with(
            Keys.of(review.key().tenant(), review.status().label()), review.createdAtMillis()),
        review.id().getBytes(StandardCharsets.UTF_8));
  }

  Optional<Review> get(Transaction transaction, String tenant, String id) {
    return Optional.ofNullable(transaction.get(Table.REVIEWS, Keys.of(tenant, id)))
        .map(bytes -> Review.fromJson(JsonCodec.fromBytes(bytes)));
  }

  Optional<Review> get(String tenant, String id) {
    return Optional.ofNullable(store.get(Table.REVIEWS, Keys.of(tenant, id)))
        .map(bytes -> Review.fromJson(JsonCodec.fromBytes(bytes)));
  }

  void tell(NodeEvent event) {
    observers.accept(event);
  }

  long nextDueMillis() {
    return nextDueMillis.get();
  }

  /** The reviews that are due, by their places in the table; at most {@code limit}. */
  List<byte[]> due(long nowMillis, int limit) {
    List<byte[]> due = new ArrayList<>();
    nextDueMillis.set(Long.MAX_VALUE);
    store.scan(
        Table.DUE,
        new byte[0],
        null,
        false,
        (key, _) -> {
          long at = new ByteReader(key).u64();
          if (at <= nowMillis && due.size() < limit) {
            due.add(key);
            return true;
          }
          nextDueMillis.accumulateAndGet(at, Math::min);
          return false;
        });
    return due;
  }

  /** A page of reviews, oldest first, after the one that a cursor names. */
  List<Review> list(String tenant, Status status, Optional<byte[]> after, int limit) {
    byte[] prefix = Keys.of(tenant, status.label());
    byte[] from =
        after.map(cursor -> Keys.with(Keys.with(prefix, cursor), new byte[] {0})).orElse(prefix);
    List<Review> reviews = new ArrayList<>();
    store.scan(
        Table.REVIEW_INDEX,
        from,
        Keys.after(prefix),
        false,
        (key, _) -> {
          get(tenant, idIn(key, prefix)).ifPresent(reviews::add);
          return reviews.size() < limit;
        });
    return reviews;
  }

  /** Where a page ends, for the next to begin after. */
  static byte[] cursor(Review review) {
    return Keys.with(
        Keys.of(review.createdAtMillis()), review.id().getBytes(StandardCharsets.UTF_8));
  }

  /** How many reviews wait, by what they are about. */
  OpenReviews open() {
    return open;
  }

  long count(String tenant, Status status) {
    LongAdder count = counts.get(tenant + '/' + status.label());
    return count == null ? 0 : count.sum();
  }
}
