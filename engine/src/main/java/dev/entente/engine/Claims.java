// SPDX-License-Identifier: Apache-2.0
package dev.entente.engine;

import dev.entente.core.codec.ByteReader;
import dev.entente.core.codec.ByteWriter;
import dev.entente.core.codec.JsonCodec;
import dev.entente.core.crdt.Assignment;
import dev.entente.core.json.Json;
import dev.entente.core.json.JsonAbsent;
import dev.entente.core.json.JsonArray;
import dev.entente.core.json.JsonNumber;
import dev.entente.core.json.JsonObject;
import dev.entente.core.json.JsonString;
import dev.entente.core.policy.Limit;
import dev.entente.core.policy.Limit.Cap;
import dev.entente.core.policy.Limit.Share;
import dev.entente.core.policy.Policy;
import dev.entente.core.record.RecordKey;
import dev.entente.core.resolve.Conflict;
import dev.entente.core.resolve.Contention;
import dev.entente.core.resolve.Contention.Party;
import dev.entente.engine.Review.Status;
import dev.entente.engine.codec.Keys;
import dev.entente.engine.store.Store;
import dev.entente.engine.store.Table;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * Who holds how much of what a policy limits. Follows the views: a record holds what its readers
 * see, and lets go of it when it changes or is deleted. Where records hold more together than is
 * allowed, that is a conflict of all of them, with a review of its own. Used by the sequencer's
 * thread only, except where it says otherwise.
 */
final class Claims {
  /** Records that are named where many hold one value. */
  private static final int NAMED_MAX = 5;

  /** Of many records that share a group those that claimed last, of which some have to give way. */
  private static final int PARTIES_MAX = 100;

  private static final String DUE = "claims-due";

  private final Store store;
  private final Policies policies;
  private final ReviewBook reviews;

  Claims(Store store, Policies policies, ReviewBook reviews) {
    this.store = store;
    this.policies = policies;
    this.reviews = reviews;
  }

  /** The records of one type of a tenant. */
  record RecordScope(String tenant, String type) {}

  /** The records of a type that share the values of a limit's {@code by}. */
  private record Pool(RecordScope scope, Limit limit, JsonArray group) {
    byte[] place() {
      return Keys.with(
          Keys.of(scope.tenant(), scope.type(), limit.name()), Hashes.of(JsonCodec.toBytes(group)));
    }

    byte[] place(String id) {
      return Keys.with(place(), Keys.of(id));
    }
  }

  /**
   * What a pool's members hold together.
   *
   * @param review the review of its contention; empty where there is none
   */
  private record Sum(long members, BigDecimal amount, String review) {
    static final Sum NONE = new Sum(0, BigDecimal.ZERO, "");

    Sum plus(int more, BigDecimal by) {
      return new Sum(members + more, amount.add(by), review);
    }

    Sum under(String id) {
      return new Sum(members, amount, id);
    }
  }

  private static Sum sum(Transaction transaction, Pool pool) {
    byte[] stored = transaction.get(Table.CLAIMS, pool.place());
    return stored == null ? Sum.NONE : sum(stored);
  }

  private static Sum sum(byte[] stored) {
    ByteReader in = new ByteReader(stored);
    return new Sum(in.varint(), new BigDecimal(in.text()), in.text());
  }

  private static void write(Transaction transaction, Pool pool, Sum sum) {
    if (sum.members() == 0 && sum.review().isEmpty()) {
      transaction.delete(Table.CLAIMS, pool.place());
    } else {
      ByteWriter out = new ByteWriter().varint(sum.members());
      out.text(sum.amount().toPlainString()).text(sum.review());
      transaction.put(Table.CLAIMS, pool.place(), out.toBytes());
    }
  }

  private static Optional<Share> share(Snapshot snapshot, Limit limit) {
    return snapshot.view().exists() ? limit.shareOf(snapshot.view().data()) : Optional.empty();
  }

  /** How much a pool may hold; empty where there is no limit for it. */
  private Optional<BigDecimal> most(Transaction transaction, Pool pool) {
    return switch (pool.limit().cap()) {
      case Cap.Fixed(BigDecimal most) -> Optional.of(most);
      case Cap.Each(var most) -> Optional.ofNullable(most.get(Limit.nameOf(pool.group())));
      case Cap.Held(String type, var field) -> {
        String id = Limit.nameOf(pool.group());
        if (RecordKey.problemWith(id) != null) {
          yield Optional.empty();
        }
        Snapshot other = transaction.snapshot(new RecordKey(pool.scope().tenant(), type, id));
        yield other.view().exists() && field.in(other.view().data()) instanceof JsonNumber(var most)
            ? Optional.of(most)
            : Optional.empty();
      }
    };
  }

  /**
   * Why a view may not become that of its record: each limit that it would break, in a sentence
   * that names the others. Empty where there is none, or where the policy would have the record
   * keep what it takes.
   */
  List<String> contended(Transaction transaction, Snapshot before, Snapshot after, Policy policy) {
    List<String> contended = new ArrayList<>();
    for (Limit limit : policy.limits()) {
      Optional<Share> is = share(after, limit);
      Optional<Share> was = share(before, limit);
      if (is.isEmpty() || is.equals(was)) {
        continue;
      }
      Pool pool = new Pool(scope(after.key()), limit, is.get().group());
      BigDecimal own =
          was.filter(share -> share.group().equals(is.get().group()))
              .map(Share::amount)
              .orElse(BigDecimal.ZERO);
      BigDecimal total = sum(transaction, pool).amount().subtract(own).add(is.get().amount());
      Optional<BigDecimal> most = most(transaction, pool);
      if (most.isPresent()
          && total.compareTo(most.get()) > 0
          && is.get().amount().compareTo(own) > 0
          && losesAtTheDoor(transaction, policy, pool, most.get(), after)) {
        contended.add(sentence(transaction, pool, most.get(), total, after.key()));
      }
    }
    return contended;
  }

  private boolean losesAtTheDoor(
      Transaction transaction, Policy policy, Pool pool, BigDecimal most, Snapshot newcomer) {
    Contention contention = settle(transaction, policy, pool, most, Optional.of(newcomer));
    return contention.resolution().isPending() || contention.losers().contains(newcomer.key());
  }

  private Contention settle(
      Transaction transaction,
      Policy policy,
      Pool pool,
      BigDecimal most,
      Optional<Snapshot> newcomer) {
    List<Party> parties = parties(transaction, pool, newcomer);
    BigDecimal left = most;
    if (parties.size() > PARTIES_MAX) {
      List<Party> byTime =
          parties.stream()
              .sorted((a, b) -> Assignment.BY_TIME.compare(a.claim(), b.claim()))
              .toList();
      int settledBefore = byTime.size() - PARTIES_MAX;
      for (Party party : byTime.subList(0, settledBefore)) {
        left = left.subtract(party.amount());
      }
      Set<Party> latest = new LinkedHashSet<>(byTime.subList(settledBefore, byTime.size()));
      parties = parties.stream().filter(latest::contains).toList();
    }
    return Contention.settle(policy, pool.limit(), pool.group(), left, parties);
  }

  /** All members of a pool, in the order of their ids. */
  private static List<Party> parties(
      Transaction transaction, Pool pool, Optional<Snapshot> newcomer) {
    RecordScope scope = pool.scope();
    TreeMap<String, Party> parties = new TreeMap<>();
    for (String id : members(transaction, pool)) {
      RecordKey key = new RecordKey(scope.tenant(), scope.type(), id);
      add(parties, pool, transaction.snapshot(key));
    }
    newcomer.ifPresent(snapshot -> add(parties, pool, snapshot));
    return List.copyOf(parties.values());
  }

  private static void add(Map<String, Party> parties, Pool pool, Snapshot snapshot) {
    share(snapshot, pool.limit())
        .filter(share -> share.group().equals(pool.group()))
        .ifPresent(share ->
            parties.put(
                snapshot.key().id(),
                Party.of(snapshot.key(), snapshot.state(), pool.limit(), share.amount())));
  }

  private static List<String> members(Transaction transaction, Pool pool) {
    byte[] place = pool.place();
    return transaction.keys(Table.CLAIMS, place).stream()
        .filter(key -> key.length > place.length)
        .map(key -> Keys.lastName(Arrays.copyOfRange(key, place.length, key.length)))
        .toList();
  }

  private static String sentence(
      Transaction transaction, Pool pool, BigDecimal most, BigDecimal total, RecordKey newcomer) {
    Limit limit = pool.limit();
    if (!limit.isUnique()) {
      return limit.name()
          + (pool.group().items().isEmpty() ? "" : " of " + Limit.nameOf(pool.group()))
          + " would be "
          + total.toPlainString()
          + ", at most "
          + most.toPlainString()
          + " is allowed";
    }
    return holders(transaction, pool, newcomer) + ", and no two records may hold it";
  }

  private static String holders(Transaction transaction, Pool pool, RecordKey except) {
    List<String> holders =
        parties(transaction, pool, Optional.empty()).stream()
            .filter(party -> !party.key().equals(except))
            .map(party -> party.key().type() + "/" + party.key().id())
            .toList();
    return pool.limit().by().getFirst()
        + " "
        + String.join(", ", pool.group().items().stream().map(Json::toString).toList())
        + " is held by "
        + String.join(", ", holders.subList(0, Math.min(NAMED_MAX, holders.size())))
        + (holders.size() > NAMED_MAX ? " and " + (holders.size() - NAMED_MAX) + " more" : "");
  }

  private static RecordScope scope(RecordKey key) {
    return new RecordScope(key.tenant(), key.type());
  }

  /** Brings the claims in line with a record that changed, and finds what is contended now. */
  void follow(
      Transaction transaction, Snapshot before, Snapshot after, Policy policy, long nowMillis) {
    RecordKey key = after.key();
    for (Limit limit : policy.limits()) {
      Optional<Share> was = share(before, limit);
      Optional<Share> is = share(after, limit);
      if (!was.equals(is)) {
        Set<Pool> touched = new LinkedHashSet<>();
        was.ifPresent(share -> {
          Pool pool = new Pool(scope(key), limit, share.group());
          leave(transaction, pool, key, share);
          touched.add(pool);
        });
        is.ifPresent(share -> {
          Pool pool = new Pool(scope(key), limit, share.group());
          enter(transaction, pool, key, share);
          touched.add(pool);
        });
        touched.forEach(pool -> judge(transaction, policy, pool, nowMillis));
      }
    }
    for (Policies.Capped capped : policies.cappedBy(key.tenant(), key.type())) {
      RecordScope scope = new RecordScope(key.tenant(), capped.policy().type());
      for (Json value : valuesNamed(key.id())) {
        Pool pool = new Pool(scope, capped.limit(), new JsonArray(List.of(value)));
        judge(transaction, capped.policy(), pool, nowMillis);
      }
    }
  }

  /** The values of a group that name a record: a text, or a whole number. */
  private static List<Json> valuesNamed(String id) {
    return id.matches("-?[0-9]{1,18}")
        ? List.of(Json.of(id), Json.of(Long.parseLong(id)))
        : List.of(Json.of(id));
  }

  private static void enter(Transaction transaction, Pool pool, RecordKey key, Share share) {
    write(transaction, pool, sum(transaction, pool).plus(1, share.amount()));
    ByteWriter amount = new ByteWriter().text(share.amount().toPlainString());
    transaction.put(Table.CLAIMS, pool.place(key.id()), amount.toBytes());
  }

  private static void leave(Transaction transaction, Pool pool, RecordKey key, Share share) {
    write(transaction, pool, sum(transaction, pool).plus(-1, share.amount().negate()));
    transaction.delete(Table.CLAIMS, pool.place(key.id()));
  }

  /** Opens, goes on with or closes the review of a pool. */
  private void judge(Transaction transaction, Policy policy, Pool pool, long nowMillis) {
    Sum sum = sum(transaction, pool);
    Optional<Contention> contention = contention(transaction, policy, pool);
    String id = contention.map(c -> c.resolution().conflict().id()).orElse("");
    if (id.equals(sum.review())) {
      return;
    }
    if (!sum.review().isEmpty()) {
      reviews
          .get(transaction, pool.scope().tenant(), sum.review())
          .filter(review -> review.status() == Status.PENDING)
          .ifPresent(review ->
              reviews.close(
                  transaction,
                  review,
                  Status.RESOLVED,
                  Proceedings.POLICY,
                  nowMillis,
                  id.isEmpty() ? "nothing is contended any more" : "goes on with other records",
                  JsonAbsent.ABSENT));
    }
    write(transaction, pool, sum.under(id));
    contention.ifPresent(found -> open(transaction, policy, pool, found, nowMillis));
  }

  private void open(
      Transaction transaction, Policy policy, Pool pool, Contention found, long nowMillis) {
    Conflict conflict = found.resolution().conflict();
    Json described =
        Describe.conflict(conflict.key(), found.resolution())
            .with("status", Json.of("pending"))
            .with("limit", Json.of(pool.limit().name()))
            .with("chooses", Json.of(pool.limit().isUnique() ? "who-keeps-it" : "who-gives-way"))
            .with("group", pool.group());
    boolean byItself = !found.resolution().isPending();
    reviews.open(
        transaction,
        conflict.id(),
        conflict.key(),
        conflict.label(),
        policy,
        described,
        byItself ? new Progress(0, nowMillis, Optional.empty(), Optional.empty()) : Progress.NONE,
        nowMillis);
    transaction.afterwards(
        () -> reviews.tell(new NodeEvent.Contended(conflict.key(), found.resolution())));
  }

  private Optional<Contention> contention(Transaction transaction, Policy policy, Pool pool) {
    Sum sum = sum(transaction, pool);
    return most(transaction, pool)
        .filter(most -> sum.members() > 0 && sum.amount().compareTo(most) > 0)
        .map(most -> settle(transaction, policy, pool, most, Optional.empty()));
  }

  /** What a review is about, if it is about a limit that is still exceeded in this way. */
  Optional<Contention> contention(Transaction transaction, Review review) {
    return pool(review)
        .flatMap(pool -> {
          Policy policy = policies.inForce(pool.scope().tenant(), pool.scope().type());
          return contention(transaction, policy, pool)
              .filter(found -> found.resolution().conflict().id().equals(review.id()));
        });
  }

  /** The limit that a review is about. */
  Optional<Limit> limit(Review review) {
    return pool(review).map(Pool::limit);
  }

  private Optional<Pool> pool(Review review) {
    if (!(review.conflict() instanceof JsonObject conflict)
        || !(conflict.get("limit") instanceof JsonString(String name))
        || !(conflict.get("group") instanceof JsonArray group)) {
      return Optional.empty();
    }
    RecordScope scope = scope(review.key());
    return policies.inForce(scope.tenant(), scope.type()).limits().stream()
        .filter(limit -> limit.name().equals(name))
        .findFirst()
        .map(limit -> new Pool(scope, limit, group));
  }

  /** Lets the pool of a review be judged anew, as if it had not been contended before. */
  void forget(Transaction transaction, Review review) {
    pool(review).ifPresent(pool -> write(transaction, pool, sum(transaction, pool).under("")));
  }

  /** Judges the pool of a review anew. */
  void judge(Transaction transaction, Review review, long nowMillis) {
    pool(review)
        .ifPresent(pool ->
            judge(
                transaction,
                policies.inForce(pool.scope().tenant(), pool.scope().type()),
                pool,
                nowMillis));
  }

  /** The contentions that a committed record takes part in, as reads show them. Any thread. */
  List<Json> contentions(Snapshot snapshot, Policy policy) {
    List<Json> contentions = new ArrayList<>();
    for (Limit limit : policy.limits()) {
      share(snapshot, limit)
          .map(share -> new Pool(scope(snapshot.key()), limit, share.group()))
          .flatMap(pool -> Optional.ofNullable(store.get(Table.CLAIMS, pool.place())))
          .map(Claims::sum)
          .filter(sum -> !sum.review().isEmpty())
          .flatMap(sum -> reviews.get(snapshot.key().tenant(), sum.review()))
          .filter(review -> review.status() == Status.PENDING)
          .ifPresent(review -> contentions.add(review.conflict()));
    }
    return contentions;
  }

  /** Notes that the claims of a type are to be worked out, even if the node stops before. */
  void setDue(Transaction transaction, String tenant, String type) {
    transaction.put(Table.META, Keys.of(DUE, tenant, type), new byte[0]);
  }

  /** The tenants and types whose claims are still to be worked out. */
  List<RecordScope> due() {
    List<RecordScope> due = new ArrayList<>();
    byte[] prefix = Keys.of(DUE);
    store.scan(
        Table.META,
        prefix,
        (key, _) -> {
          String type = Keys.lastName(key);
          String tenant = Keys.lastName(Arrays.copyOf(key, key.length - Keys.of(type).length));
          due.add(new RecordScope(tenant, type));
          return true;
        });
    return due;
  }

  /**
   * Works out the claims of a type anew, from the records that are there.
   *
   * @return for each limit that is exceeded already, a sentence that says how
   */
  List<String> rebuild(Transaction transaction, String tenant, Policy policy, long nowMillis) {
    RecordScope scope = new RecordScope(tenant, policy.type());
    transaction
        .keys(Table.CLAIMS, Keys.of(tenant, policy.type()))
        .forEach(key -> transaction.delete(Table.CLAIMS, key));
    TreeSet<RecordKey> keys = new TreeSet<>(transaction.undurable(tenant, policy.type()));
    store.scan(
        Table.RECORDS,
        Keys.of(tenant, policy.type()),
        (key, _) -> {
          keys.add(new RecordKey(tenant, policy.type(), Keys.lastName(key)));
          return true;
        });
    Set<Pool> pools = new LinkedHashSet<>();
    for (RecordKey key : keys) {
      Snapshot record = transaction.snapshot(key);
      for (Limit limit : policy.limits()) {
        share(record, limit)
            .ifPresent(share -> {
              Pool pool = new Pool(scope, limit, share.group());
              enter(transaction, pool, key, share);
              pools.add(pool);
            });
      }
    }
    List<String> exceeded = new ArrayList<>();
    for (Pool pool : pools) {
      judge(transaction, policy, pool, nowMillis);
      contention(transaction, policy, pool)
          .ifPresent(found -> exceeded.add(found.resolution().explanation()));
    }
    transaction.delete(Table.META, Keys.of(DUE, tenant, policy.type()));
    return exceeded;
  }
}
