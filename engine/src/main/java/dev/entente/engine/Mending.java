// SPDX-License-Identifier: Apache-2.0
package dev.entente.engine;

import dev.entente.core.causality.Dot;
import dev.entente.core.codec.VersionCodec;
import dev.entente.core.json.Json;
import dev.entente.core.json.JsonArray;
import dev.entente.core.json.JsonObject;
import dev.entente.core.policy.Policy;
import dev.entente.core.record.Past;
import dev.entente.core.record.RecordKey;
import dev.entente.core.record.RecordState;
import dev.entente.core.record.Version;
import dev.entente.engine.codec.Keys;
import dev.entente.engine.store.Store;
import dev.entente.engine.store.Table;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.function.LongSupplier;

/**
 * Ends it that numbers stand for other versions here than elsewhere. Thread-safe.
 *
 * <p>The idea: what lost its number is taken out, together with whatever of its record came after
 * it, and the record becomes what the rest adds up to. What is to stand there, and what was taken
 * out and may stay, waits from then on as any version waits for what it builds on, and joins in the
 * same order as on the other nodes. What lost its number, and what builds on that in a way that no
 * other node can follow, is {@linkplain Reissue written again} as new versions. All of it is
 * decided in one commit, with the node's next incarnation: the log does not go on from where the
 * others had read it. The rest is done when the node is opened, and again until it is done.
 *
 * <p>The same content that several nodes have to write again is one request to all of them, so it
 * counts once. Rejected: changing the log in place, which leaves versions before those that they
 * build on; taking a copy of another node, which loses the audit log and all that only this node
 * has.
 */
public final class Mending {
  /** How the audit log calls it. */
  static final String ACTION = "mend";

  /** So many versions are named in an audit entry. */
  private static final int NAMED_MAX = 100;

  private final Store store;
  private final Sequencer sequencer;
  private final Receiver receiver;
  private final Reissue reissue;
  private final MendingList list;
  private final Incarnations self;
  private final Policies policies;
  private final History history;
  private final Derived derived;
  private final NodeConfig config;
  private final LongSupplier nowMillis;

  Mending(
      Store store,
      Sequencer sequencer,
      Receiver receiver,
      Reissue reissue,
      MendingList list,
      Incarnations self,
      Policies policies,
      History history,
      Derived derived,
      NodeConfig config,
      LongSupplier nowMillis) {
    this.store = store;
    this.sequencer = sequencer;
    this.receiver = receiver;
    this.reissue = reissue;
    this.list = list;
    this.self = self;
    this.policies = policies;
    this.history = history;
    this.derived = derived;
    this.config = config;
    this.nowMillis = nowMillis;
  }

  /**
   * Puts right what stands under numbers here. Where it succeeds the node stops with a {@link
   * NodeRestoredException}, and goes on as its next incarnation when it is opened again. What other
   * nodes hold and this one would refuse from any of them is refused here too; where that is all,
   * nothing changes and the answer is 0.
   *
   * @throws IllegalStateException in the answer, where something has changed since the nodes were
   *     compared, or another mending is not finished; nothing has changed then
   */
  public CompletableFuture<Integer> begin(List<Correction> corrections) {
    return sequencer.submit(transaction -> begin(transaction, corrections, nowMillis.getAsLong()));
  }

  /** Whether something is left to do, here, of what was begun. */
  public boolean isPending() {
    return list.isPending();
  }

  /** Goes on with what was begun, as far as that is possible now. */
  CompletableFuture<Boolean> proceed() {
    return sequencer
        .submit(transaction -> reissue.proceed(transaction, nowMillis.getAsLong()))
        .thenCompose(more -> more ? proceed() : CompletableFuture.completedFuture(true));
  }

  /** Whether the content of a version has been written again under another number. */
  public CompletableFuture<Boolean> isWrittenAgain(byte[] version) {
    return sequencer.submit(transaction -> isWrittenAgain(transaction, version));
  }

  /**
   * Versions that wait here for what they build on and whose content has been written again, as
   * bytes; at most so many are looked at.
   */
  public CompletableFuture<List<byte[]>> waitingInVain(int max) {
    if (list.isPending()) {
      return CompletableFuture.completedFuture(List.of());
    }
    List<byte[]> waiting = HeldVersions.first(store, max);
    return sequencer.submit(transaction ->
        waiting.stream().filter(version -> isWrittenAgain(transaction, version)).toList());
  }

  private static boolean isWrittenAgain(Transaction transaction, byte[] version) {
    return Answers.sameRequest(transaction, Reissue.named(VersionCodec.fromBytes(version), version))
        .isPresent();
  }

  /**
   * A version that waits here and can never join, because another version of its author follows the
   * same one as it does: two lives of one directory went on under different numbers.
   *
   * @param waiting as bytes
   * @param rival the version that joined here in its place
   * @param rivalBytes that as bytes
   */
  public record Fork(byte[] waiting, Dot rival, byte[] rivalBytes) {}

  /** The forks at which versions wait here; at most so many waiting versions are looked at. */
  public CompletableFuture<List<Fork>> forks(int max) {
    List<byte[]> versions = HeldVersions.first(store, max);
    return sequencer.submit(transaction -> {
      List<Fork> forks = new ArrayList<>();
      versions.forEach(version -> addFork(transaction, version, forks));
      return forks;
    });
  }

  private void addFork(Transaction transaction, byte[] bytes, List<Fork> forks) {
    Version version = VersionCodec.fromBytes(bytes);
    Dot dot = version.dot();
    Snapshot record = transaction.snapshot(version.key());
    if (record.state().context().get(dot.node()) > version.previous()) {
      history.logged(version.key(), history.last(record, transaction), transaction).stream()
          .map(Logged::version)
          .filter(other ->
              other.dot().node().equals(dot.node())
                  && !other.dot().equals(dot)
                  && other.dot().number() > version.previous())
          .findFirst()
          .ifPresent(rival -> forks.add(new Fork(bytes, rival.dot(), VersionCodec.toBytes(rival))));
    }
  }

  /**
   * Has a version wait no longer, which no node holds under its number any more and whose content
   * has been written again.
   */
  public CompletableFuture<Boolean> forget(byte[] version) {
    return sequencer.submit(transaction -> {
      reissue.forget(transaction, VersionCodec.fromBytes(version), version);
      return true;
    });
  }

  /** What is taken out of the log and put in. */
  private static final class Exchange {
    /** The versions that lose their number. */
    private final Map<Dot, byte[]> losing = new TreeMap<>();

    /** The dots that are to stand for another version, or for one at all, by its record. */
    private final Map<RecordKey, Set<Dot>> winning = new TreeMap<>();

    /** Of those the numbers of the versions that they follow. */
    private final Map<Dot, Long> previous = new TreeMap<>();

    private final Set<RecordKey> records = new TreeSet<>();

    /** By tenant, what was taken out for the audit log to vouch for. */
    private final Map<String, HashSum> removed = new TreeMap<>();

    private final Map<String, List<Json>> named = new HashMap<>();
  }

  /**
   * Takes out what loses, lets wait what wins, and ends this incarnation.
   *
   * @throws IllegalStateException where it cannot be done; nothing has changed
   */
  private int begin(Transaction transaction, List<Correction> told, long nowMillis) {
    if (list.isPending()) {
      throw new IllegalStateException("what was to be mended before is not finished yet");
    }
    List<Correction> corrections =
        told.stream().filter(each -> isAccepted(transaction, each, nowMillis)).toList();
    if (corrections.isEmpty()) {
      return 0;
    }
    Exchange exchange = new Exchange();
    corrections.forEach(correction -> plan(transaction, exchange, correction));
    for (RecordKey key : exchange.records) {
      takeOut(transaction, exchange, key, nowMillis);
    }
    for (Correction correction : corrections) {
      Version winner = VersionCodec.fromBytes(correction.content());
      list.wins(transaction, winner.dot(), correction);
      HeldVersions.put(transaction, winner, correction.content(), holder(correction), nowMillis);
    }
    exchange.removed.forEach((tenant, sum) -> {
      Map<String, Json> detail = new TreeMap<>();
      sum.tell(detail);
      detail.put("replaced", new JsonArray(exchange.named.getOrDefault(tenant, List.of())));
      detail.put(
          "why",
          Json.of(
              "one number stood for two versions; what was replaced is written again under a number"
                  + " of its own"));
      transaction.audit(
          transaction.clock().next(),
          tenant,
          Proceedings.POLICY,
          ACTION,
          self.self().value(),
          JsonObject.of(detail));
    });
    end(transaction, corrections.size());
    return exchange.losing.size();
  }

  private boolean isAccepted(Transaction transaction, Correction correction, long nowMillis) {
    byte[] bytes = correction.content();
    Version version = VersionCodec.fromBytes(bytes);
    return receiver.refusal(transaction, version, bytes, holder(correction), nowMillis).isEmpty();
  }

  private static Sender holder(Correction correction) {
    return correction.holders().stream()
        .findFirst()
        .map(name -> new Sender(name, ""))
        .orElse(Sender.UNKNOWN);
  }

  private void plan(Transaction transaction, Exchange exchange, Correction correction) {
    Version winner = VersionCodec.fromBytes(correction.content());
    Dot dot = winner.dot();
    VersionIndex.Place place = VersionIndex.place(transaction, dot);
    boolean asTold =
        place == null
            ? correction.hash().isEmpty()
            : correction.hash().filter(hash -> hash == place.hash()).isPresent();
    if (!asTold || dot.node().isGroup()) {
      throw new IllegalStateException(
          dot + " is not what it was when the nodes were compared; compare again");
    }
    if (place != null) {
      byte[] bytes = transaction.get(Table.LOG, History.logKey(place.tenant(), place.position()));
      if (bytes == null) {
        throw new IllegalStateException(dot + " is not in the log; compare again");
      }
      exchange.losing.put(dot, bytes);
      exchange.records.add(VersionCodec.fromBytes(bytes).key());
    }
    if (Base.of(transaction::get, winner.key()).state().context().contains(dot)) {
      throw new IllegalStateException(
          winner.key()
              + " does not keep its versions up to "
              + dot
              + " any more; empty the directory of this node and begin anew with a copy of"
              + " another");
    }
    exchange.previous.put(dot, winner.previous());
    exchange.winning.computeIfAbsent(winner.key(), _ -> new TreeSet<>()).add(dot);
    exchange.records.add(winner.key());
  }

  /** Takes versions of a record out, and all that came after them, and puts what is left. */
  private void takeOut(Transaction transaction, Exchange exchange, RecordKey key, long nowMillis) {
    Snapshot before = transaction.snapshot(key);
    Set<Dot> taken = new TreeSet<>(exchange.winning.getOrDefault(key, Set.of()));
    List<Logged> left = new ArrayList<>();
    for (Logged logged : history.logged(key, history.last(before, transaction), transaction)) {
      Version version = logged.version();
      byte[] losing = exchange.losing.get(version.dot());
      boolean loses = losing != null && VersionCodec.dotOf(losing).equals(version.dot());
      if (loses || taken.stream().anyMatch(dot -> follows(version, dot, exchange))) {
        taken.add(version.dot());
        takeOut(transaction, exchange, logged, loses, nowMillis);
      } else {
        left.add(logged);
      }
    }
    if (taken.equals(exchange.winning.getOrDefault(key, Set.of()))
        && taken.stream().noneMatch(before.state().context()::contains)) {
      return;
    }
    long last = 0;
    List<Version> versions = new ArrayList<>();
    for (Logged logged : left) {
      transaction.put(Table.LINKS, History.linkKey(key.tenant(), logged.position()), Keys.of(last));
      last = logged.position();
      versions.add(logged.version());
    }
    Base base = Base.of(transaction::get, key);
    transaction.put(Table.LINKS, History.lastKey(key), Keys.of(last == 0 ? base.position() : last));
    Policy policy = policies.inForce(key.tenant(), key.type());
    RecordState state = new Past(base.state(), versions).replay();
    Snapshot after = Records.derived(key, state, policy);
    transaction.putRebuilt(after);
    derived.follow(transaction, before, after, policy, Proceedings.POLICY, nowMillis);
  }

  /** Whether a version of a record could not have joined before another of it. */
  private static boolean follows(Version version, Dot other, Exchange exchange) {
    long before = exchange.previous.getOrDefault(other, other.number());
    return version.context().contains(other)
        || (version.dot().node().equals(other.node()) && version.dot().number() > before);
  }

  private void takeOut(
      Transaction transaction, Exchange exchange, Logged logged, boolean loses, long nowMillis) {
    Version version = logged.version();
    RecordKey key = version.key();
    Dot dot = version.dot();
    byte[] at = History.logKey(key.tenant(), logged.position());
    byte[] bytes = VersionCodec.toBytes(version);
    transaction.delete(Table.LOG, at);
    transaction.delete(Table.LINKS, History.linkKey(key.tenant(), logged.position()));
    transaction.delete(Table.DOTS, Receiver.dotKey(key.tenant(), dot));
    transaction.delete(Table.META, Meetings.place(key.tenant(), key.type(), logged.position()));
    VersionIndex.remove(transaction, dot);
    Answers.withdraw(transaction, version);
    if (loses) {
      list.lost(transaction, dot, bytes);
      List<Json> named = exchange.named.computeIfAbsent(key.tenant(), _ -> new ArrayList<>());
      if (named.size() < NAMED_MAX) {
        named.add(Json.of(dot + " of " + key));
      }
    } else {
      list.again(transaction, dot, bytes);
      HeldVersions.put(transaction, version, bytes, Sender.OWN_LOG, nowMillis);
    }
    exchange
        .removed
        .computeIfAbsent(key.tenant(), _ -> new HashSum())
        .add(logged.position(), Hashes.of(bytes));
  }

  private void end(Transaction transaction, int numbers) {
    Incarnations next = self.next(transaction.lastNumber(), config.incarnations().getAsLong());
    next.write(transaction::put);
    String why =
        numbers
            + " numbers stood for other versions here than elsewhere. The node continues as "
            + next.self()
            + " when it is started again, and writes what it alone had under numbers of its own";
    transaction.audit(
        transaction.clock().next(),
        "",
        Proceedings.POLICY,
        "incarnation",
        next.self().value(),
        JsonObject.of("why", Json.of(why)));
    transaction.end();
    transaction.afterwards(() -> {
      throw new NodeRestoredException(why);
    });
  }
}
