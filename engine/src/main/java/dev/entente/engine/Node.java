// SPDX-License-Identifier: Apache-2.0
package dev.entente.engine;

import dev.entente.core.causality.Dot;
import dev.entente.core.causality.HybridClock;
import dev.entente.core.causality.HybridTime;
import dev.entente.core.causality.NodeId;
import dev.entente.core.causality.VersionVector;
import dev.entente.core.codec.ByteReader;
import dev.entente.core.codec.VersionCodec;
import dev.entente.core.edit.Edit;
import dev.entente.core.json.Json;
import dev.entente.core.json.JsonObject;
import dev.entente.core.json.Path;
import dev.entente.core.policy.Policy;
import dev.entente.core.policy.PolicyLoader;
import dev.entente.core.policy.PolicyProblem;
import dev.entente.core.policy.PolicyProblem.PolicyException;
import dev.entente.core.policy.PolicyWriter;
import dev.entente.core.record.RecordKey;
import dev.entente.core.record.RecordState;
import dev.entente.core.record.Unit;
import dev.entente.core.resolve.Resolution;
import dev.entente.engine.codec.Keys;
import dev.entente.engine.store.Batch;
import dev.entente.engine.store.DamagedFile;
import dev.entente.engine.store.DamagedStoreException;
import dev.entente.engine.store.Store;
import dev.entente.engine.store.Table;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.BiPredicate;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.IntSupplier;
import java.util.function.LongConsumer;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * One replica that accepts writes: accept, derive, decide, over a store. Thread-safe. Futures
 * complete when the answer is durable; what a future's failure leaves unknown is settled by asking
 * again under the same request id.
 */
public final class Node implements AutoCloseable {
  static final byte[] POSITION = "position".getBytes(StandardCharsets.UTF_8);
  static final byte[] FORMAT = "format".getBytes(StandardCharsets.UTF_8);
  static final byte[] FORMAT_1 = "entente 1".getBytes(StandardCharsets.UTF_8);

  /** So many nodes are believed what they cannot show, where there are as many. */
  public static final int WITNESSES = 2;

  private final Store store;
  private final NodeClock physical;
  private final HybridClock clock;
  private final Incarnations self;
  private final Policies policies;
  private final Records records;
  private final History history;
  private final ReviewBook reviews;
  private final Polls polls;
  private final Freezes freezes;
  private final Claims claims;
  private final VersionChecks versionChecks;
  private final Acceptor acceptor;
  private final Decider decider;
  private final Appeals appeals;
  private final Proceedings proceedings;
  private final Receiver receiver;
  private final Replication replication;
  private final Drafts drafts;
  private final Divergences divergences;
  private final Sequencer sequencer;
  private final Enactment enactment;
  private final List<Consumer<NodeEvent>> observers = new CopyOnWriteArrayList<>();
  private final UnprovenAccess unproven;
  private final PeerFaults faults;
  private final Watermark watermark;
  private final ErasureMarks erased;
  private final Archive archive;
  private final ChangeFeed feed;
  private final AuditLog auditLog;
  private final Erasures erasures;
  private final Mending mending;
  private final VersionIndex versionIndex;
  private final Pruning pruning;
  private final ReentrantLock prunes = new ReentrantLock();
  private volatile IntSupplier clockError = () -> 0;
  private volatile IntSupplier witnesses = () -> WITNESSES;
  private volatile AccessKeys access;

  private Node(Store store, NodeConfig config, AccessKeys keys) {
    this.store = store;
    this.access = keys;
    this.self = identity(store, config);
    Reconstruction.resume(store);
    Meetings.complete(store);
    VersionIndex.complete(store);
    this.versionIndex = new VersionIndex(store);
    this.policies = new Policies(store);
    this.records = new Records(store, policies, config.cacheRecords());
    this.history = new History(store, self);
    this.erased = new ErasureMarks(store);
    this.pruning = new Pruning(store, history, erased);
    this.reviews = new ReviewBook(store, this::tell);
    this.polls = new Polls(store, self, reviews);
    this.freezes = new Freezes(store, records::read);
    this.claims = new Claims(store, policies, reviews);
    Derived derived = new Derived(claims, reviews, freezes, erased);
    VersionChecks checks = new VersionChecks(derived, config.siblingsMax());
    this.versionChecks = checks;
    VersionWriter writer = new VersionWriter(policies, history, derived, checks, () -> access);
    this.acceptor = new Acceptor(policies, history, erased, checks, writer);
    Contentions contentions = new Contentions(claims, reviews, acceptor);
    this.appeals = new Appeals(policies, reviews, acceptor);
    this.decider = new Decider(policies, reviews, writer, contentions, appeals);
    this.proceedings = new Proceedings(policies, reviews, decider, contentions, history, freezes);
    this.unproven =
        new UnprovenAccess(
            store,
            () -> access,
            (version, how) -> tell(new NodeEvent.Violated(version.key(), how)));
    this.faults = new PeerFaults(store, this::tell);
    this.receiver = new Receiver(store, self, policies, history, reviews, writer, unproven, faults);
    this.replication =
        new Replication(
            store,
            self,
            receiver,
            versionIndex,
            new PutBack(self, config.incarnations()),
            new Witnesses(() -> witnesses.getAsInt()));
    this.drafts = new Drafts(receiver, replication);
    this.divergences = new Divergences(store, policies, history, records::read);
    this.archive = new Archive(store, policies, records, history, erased, reviews);
    byte @Nullable [] position = store.get(Table.META, POSITION);
    this.watermark = new Watermark(position == null ? 0 : new ByteReader(position).u64());
    this.feed = new ChangeFeed(store, self, watermark::visible, this::known);
    this.auditLog = new AuditLog(store);
    HybridTime last = auditLog.lastTime();
    this.physical =
        new NodeClock(
            config.clockMillis(), config.steadyMillis(), config.driftMaxMillis(), last.millis());
    this.clock = new HybridClock(physical, config.driftMaxMillis(), last);
    promise(_ -> Optional.empty());
    Transaction transaction =
        new Transaction(
            store, self, clock, records, () -> clockError.getAsInt(), watermark.position());
    AuditChain chain = auditLog.chain();
    this.sequencer =
        config.threads()
            ? ThreadedSequencer.start(
                config.queueMax(),
                config.batchMax(),
                transaction,
                records,
                chain,
                this::commit,
                watermark::shown)
            : new InlineSequencer(transaction, records, chain, this::commit, watermark::shown);
    MendingList mendings = new MendingList(store);
    this.mending =
        new Mending(
            store,
            sequencer,
            receiver,
            new Reissue(mendings, self, receiver, history, writer, () -> access),
            mendings,
            self,
            policies,
            history,
            derived,
            config,
            this::nowMillis);
    this.enactment = new Enactment(policies, claims, sequencer, this::nowMillis);
    this.erasures = new Erasures(this, self, store, history, erased, reviews);
  }

  /** Opens a node on a store. The node owns the store from here and closes it. */
  public static Node open(Store store, NodeConfig config) {
    return open(store, config, AccessKeys.NONE);
  }

  /**
   * Opens a node that demands proofs from the beginning; see {@link #demandProofs}. What was begun
   * before it was closed is finished under these keys.
   */
  public static Node open(Store store, NodeConfig config, AccessKeys keys) {
    Node node = new Node(store, config, keys);
    for (Claims.RecordScope due : node.claims.due()) {
      Policy policy = node.policies.inForce(due.tenant(), due.type());
      node.sequencer
          .submit(transaction ->
              node.claims.rebuild(transaction, due.tenant(), policy, node.nowMillis()))
          .join();
    }
    if (node.mending.isPending()) {
      node.mending.proceed().join();
    }
    return node;
  }

  /** Opens a node on a store that was brought back from an earlier state. */
  public static Node openRestored(Store store, NodeConfig config) {
    Optional<NodeId> _ = renew(store, config);
    return open(store, config);
  }

  /**
   * Has the node that a store is of continue under its next incarnation, so that it does not give
   * numbers again that others may have seen.
   *
   * @return who it was; empty where no node was opened on the store before, which stays as it is
   */
  public static Optional<NodeId> renew(Store store, NodeConfig config) {
    Incarnations known = Incarnations.of(store);
    if (known == null) {
      return Optional.empty();
    }
    byte[] last = store.get(Table.META, POSITION);
    Batch batch = new Batch();
    known
        .next(last == null ? 0 : new ByteReader(last).u64(), config.incarnations().getAsLong())
        .write(batch::put);
    store.commit(batch);
    return Optional.of(known.self());
  }

  private static Incarnations identity(Store store, NodeConfig config) {
    if (Bootstrap.isUnfinished(store)) {
      throw new IllegalStateException(
          "a copy of another node was begun here and not finished; empty the store and copy again");
    }
    byte[] format = store.get(Table.META, FORMAT);
    if (format != null && !Arrays.equals(format, FORMAT_1)) {
      throw new IllegalStateException(
          "the data is in the format \""
              + new String(format, StandardCharsets.UTF_8)
              + "\"; this release reads \"entente 1\"");
    }
    Incarnations known = Incarnations.of(store);
    if (known != null) {
      return known;
    }
    Incarnations first = Incarnations.first(firstId(config));
    Batch batch = new Batch();
    batch.put(Table.META, FORMAT, FORMAT_1);
    Meetings.begin(batch);
    VersionIndex.begin(batch);
    first.write(batch::put);
    store.commit(batch);
    return first;
  }

  /** Who a node on an empty store is. */
  static NodeId firstId(NodeConfig config) {
    String name =
        config.name().isEmpty() ? UUID.randomUUID().toString().substring(0, 8) : config.name();
    if (new NodeId(name).isGroup()) {
      throw new IllegalArgumentException(
          "no node is called " + NodeId.GROUP + "; that is what nodes write as together");
    }
    return new NodeId(name.contains(".") ? name : name + ".1");
  }

  private void commit(Batch batch, long filledUpTo) {
    long start = System.nanoTime();
    long position = watermark.position();
    long last = Math.max(position, filledUpTo);
    if (last > position) {
      batch.put(Table.META, POSITION, Keys.of(last));
    }
    watermark.begin();
    try {
      store.commit(batch);
    } catch (RuntimeException | Error e) {
      watermark.stop();
      throw e;
    }
    tell(new NodeEvent.Committed(batch.entries().size(), batch.bytes(), System.nanoTime() - start));
    watermark.durable(last);
  }

  private void tell(NodeEvent event) {
    for (Consumer<NodeEvent> observer : observers) {
      observer.accept(event);
    }
  }

  /**
   * From here on versions say by how much this node's clock is known to be off, so that what is
   * decided by time is called uncertain where it rests on less. Asked at each write, on the
   * deciding thread.
   *
   * @param errorMillis not negative
   */
  public void measure(IntSupplier errorMillis) {
    clockError = errorMillis;
  }

  /**
   * From here on as many different nodes have to say that they have all of a third one for it to be
   * believed without versions that show it.
   *
   * @param needed how many there are to ask, if fewer than {@link #WITNESSES}
   */
  public void require(IntSupplier needed) {
    witnesses = () -> Math.min(WITNESSES, needed.getAsInt());
  }

  /** Adds an observer of everything that is answered. */
  public void observe(Consumer<NodeEvent> observer) {
    observers.add(observer);
  }

  public NodeId id() {
    return self.self();
  }

  /** What stopped the node, if something did. */
  public Optional<Throwable> failure() {
    return Optional.ofNullable(sequencer.failure());
  }

  /** How many requests wait. */
  public int waiting() {
    return sequencer.waiting();
  }

  /** Writes; see {@link Outcome}. */
  public CompletableFuture<Outcome> write(WriteRequest request) {
    long start = System.nanoTime();
    IdentifiedRequest identified = IdentifiedRequest.of(request);
    return sequencer
        .submit(transaction -> acceptor.accept(transaction, identified))
        .thenApply(outcome -> answered(request, outcome, start));
  }

  /** Writes each by itself, in order, in one commit; one failing does not touch the others. */
  public CompletableFuture<List<Outcome>> writeAll(List<WriteRequest> requests) {
    long start = System.nanoTime();
    List<IdentifiedRequest> identified = IdentifiedRequest.each(requests);
    return sequencer
        .<List<Outcome>>submit(transaction -> {
          List<Outcome> outcomes = new ArrayList<>(requests.size());
          for (IdentifiedRequest request : identified) {
            outcomes.add(acceptor.accept(transaction, request));
          }
          return outcomes;
        })
        .thenApply(outcomes -> answered(requests, outcomes, start));
  }

  /**
   * Writes all of them or none, in one commit.
   *
   * @return an outcome for each; where one is rejected it is the last in the list, and nothing is
   *     written
   */
  public CompletableFuture<List<Outcome>> writeTogether(List<WriteRequest> requests) {
    long start = System.nanoTime();
    List<IdentifiedRequest> identified = IdentifiedRequest.together(requests);
    return sequencer
        .submit(transaction -> acceptor.acceptTogether(transaction, identified))
        .thenApply(outcomes -> answered(requests, outcomes, start));
  }

  private List<Outcome> answered(List<WriteRequest> requests, List<Outcome> outcomes, long start) {
    for (int i = 0; i < outcomes.size(); i++) {
      answered(requests.get(i), outcomes.get(i), start);
    }
    return outcomes;
  }

  private Outcome answered(WriteRequest request, Outcome outcome, long start) {
    tell(new NodeEvent.Answered(request.key(), outcome, System.nanoTime() - start));
    return outcome;
  }

  /** The record as it is. */
  public Snapshot read(RecordKey key) {
    return records.read(key);
  }

  /** The records of a type behind an id, in order, with those that were deleted. */
  public List<RecordKey> records(String tenant, String type, Optional<String> after, int limit) {
    byte[] prefix = Keys.of(tenant, type);
    byte[] from = after.map(id -> Keys.with(Keys.of(tenant, type, id), 0)).orElse(prefix);
    List<RecordKey> keys = new ArrayList<>();
    store.scan(
        Table.RECORDS,
        from,
        Keys.after(prefix),
        false,
        (key, _) -> {
          keys.add(new RecordKey(tenant, type, Keys.lastName(key)));
          return keys.size() < limit;
        });
    return keys;
  }

  /** The tenants that something was written for, in order. */
  public List<String> tenants() {
    return replication.tenants();
  }

  /** The types of which a tenant has records, in order. */
  public List<String> types(String tenant) {
    List<String> types = new ArrayList<>();
    byte[] end = Keys.after(Keys.of(tenant));
    byte[][] from = {Keys.of(tenant)};
    boolean more = true;
    while (more) {
      more = false;
      List<String> next = new ArrayList<>();
      store.scan(
          Table.RECORDS,
          from[0],
          end,
          false,
          (key, _) -> {
            next.add(Keys.names(key).get(1));
            return false;
          });
      for (String type : next) {
        types.add(type);
        from[0] = Keys.after(Keys.of(tenant, type));
        more = true;
      }
    }
    return types;
  }

  /** Keeps what this node is now in a directory of its own, while writers go on. */
  public void checkpoint(java.nio.file.Path directory) {
    store.checkpoint(directory);
  }

  /** The conflicts with other records that a record takes part in, as reads show them. */
  public List<Json> contentions(Snapshot snapshot) {
    return claims.contentions(
        snapshot, policies.inForce(snapshot.key().tenant(), snapshot.key().type()));
  }

  /**
   * The record as it was accepted up to a moment, under the policy of today.
   *
   * @throws PrunedException where that lies before the history that is kept
   */
  public Snapshot readAt(RecordKey key, Instant moment) {
    // The last of all that is accepted in this millisecond.
    return readAt(key, new HybridTime(HybridTime.ofMillis(moment.toEpochMilli() + 1).packed() - 1));
  }

  /**
   * The record as it was when what was accepted at a time had been, under the policy of today; of
   * several in a millisecond it tells which came first.
   *
   * @throws PrunedException where that lies before the history that is kept
   */
  public Snapshot readAt(RecordKey key, HybridTime upTo) {
    return archive.at(key, upTo);
  }

  /**
   * The record as somebody with this context saw it.
   *
   * @throws PrunedException where that lies before the history that is kept
   */
  public Snapshot readThrough(RecordKey key, VersionVector context) {
    return archive.through(key, context);
  }

  /**
   * Where positions in a text or list are now that somebody with this context saw there.
   *
   * @param stickToNext true where a position moves with the item behind it, false with that before
   * @return empty where the policy declares no text or list at the path
   */
  public Optional<int[]> positions(
      RecordKey key, Path path, VersionVector context, int[] positions, boolean stickToNext) {
    return archive.positions(key, path, context, positions, stickToNext);
  }

  /**
   * The versions of a record, newest first, from a position downwards; {@link Logged#previous} of
   * the last is where to go on.
   *
   * @param position {@code Long.MAX_VALUE} for the newest
   * @throws IllegalArgumentException where the position is none of the record's
   */
  public List<Logged> history(RecordKey key, long position, int limit) {
    return archive.versions(key, position, limit);
  }

  /** The feed of changes, for readers that go on where they were. */
  public ChangeFeed feed() {
    return feed;
  }

  /** Up to which position readers of records see the log. */
  public long visiblePosition() {
    return watermark.visible();
  }

  /** Waits until readers see something behind a position, or the time is over. */
  public void awaitVisible(long since, long timeoutMillis) throws InterruptedException {
    watermark.awaitVisible(since, timeoutMillis);
  }

  /** What came for a tenant after a position, in order. */
  public List<Feed> changes(String tenant, long since, int limit) {
    return archive.changes(tenant, since, limit);
  }

  /**
   * Takes in versions of other nodes, in any order; each by itself.
   *
   * @param versions in the format of {@link VersionCodec}
   */
  public CompletableFuture<List<Receipt>> receive(List<byte[]> versions) {
    return receive(versions, Sender.UNKNOWN);
  }

  /** As {@link #receive(List)}, where it is known who sent them. */
  public CompletableFuture<List<Receipt>> receive(List<byte[]> versions, Sender sender) {
    long now = nowMillis();
    return sequencer.submit(transaction -> {
      List<Receipt> receipts = new ArrayList<>(versions.size());
      for (byte[] version : versions) {
        receipts.add(receiver.receive(transaction, version, sender, now));
      }
      receiver.settle(transaction, now);
      return receipts;
    });
  }

  /**
   * The stretch of this node's log behind a position that another lacks; see {@link Shipment}.
   *
   * @param asker what the other has
   * @param bytesMax how many bytes of versions at most; one version goes even where it is larger
   */
  public Shipment ship(long after, VersionVector asker, int bytesMax) {
    return replication.ship(after, asker, bytesMax);
  }

  /**
   * A version that another node wrote, that is here, and that lies behind all that it says to have
   * written: its directory was replaced by an earlier state.
   *
   * @param number the last of its own numbers that it knows of
   */
  public Optional<Shipment> shipLost(NodeId asker, long number) {
    return replication.lost(asker, number);
  }

  /**
   * Takes what another node has shipped.
   *
   * @param url where it was asked; empty where that is not known
   * @return fails with {@link IllegalArgumentException} where the other goes by this node's id
   */
  public CompletableFuture<Intake> take(Shipment shipment, String url) {
    long now = nowMillis();
    Sender sender = Sender.at(shipment.from(), url);
    return sequencer.submit(transaction -> replication.take(transaction, shipment, sender, now));
  }

  /** As {@link #take(Shipment, String)}, where it is not known at which address it was asked. */
  public CompletableFuture<Intake> take(Shipment shipment) {
    return take(shipment, "");
  }

  /**
   * Takes for known what this node has of those that will never send the rest of their logs; waits
   * until that is durable.
   *
   * @param members the nodes that have not left for good
   */
  void learnOfFormer(Collection<NodeId> members) {
    VersionVector former = replication.ofFormer(members);
    if (!former.isEmpty()) {
      sequencer
          .submit(transaction -> {
            replication.learn(transaction, former);
            return true;
          })
          .join();
    }
  }

  /** Up to where the log of another node has been taken. */
  public long cursor(NodeId node) {
    return replication.cursor(node);
  }

  /** What this node has of all nodes, itself included. */
  public VersionVector known() {
    return replication.known(position());
  }

  /** From here on writes are accepted only as far as the promise can be kept. */
  public void promise(Promise promise) {
    versionChecks.promise(
        new Promise() {
          @Override
          public Optional<String> whyNot(Policy policy) {
            return physical.whyNot(clock.last().millis()).or(() -> promise.whyNot(policy));
          }

          @Override
          public Optional<String> whyNot(Locks.Fence fence) {
            return promise.whyNot(fence);
          }
        });
  }

  /** This node's clock, and whether it can be believed. */
  public NodeClock clock() {
    return physical;
  }

  /** Why this node may not give out times now; empty where it may. */
  public Optional<String> whyNoTimes() {
    return physical.whyNot(clock.last().millis());
  }

  /**
   * Compares this node's clock with those of others. Where it had jumped and they agree with what
   * it says now, the node goes on by it.
   *
   * @param aheadMillis how far most of them are ahead; negative where they are behind
   * @return whether the clock is another from here on
   */
  public boolean compareClock(long aheadMillis) {
    boolean isRight = physical.compare(aheadMillis);
    if (isRight) {
      var _ = restartClock("the clocks of other nodes agree with it");
    }
    return isRight;
  }

  /** Believes the physical clock as it is, since somebody says that it is right. */
  public CompletableFuture<Boolean> acceptClock(String actor) {
    physical.accept();
    return restartClock(actor + " says that it is right");
  }

  private CompletableFuture<Boolean> restartClock(String why) {
    return sequencer.submit(transaction -> {
      boolean wasAhead = transaction.clock().restart();
      transaction.audit(
          transaction.clock().next(),
          "",
          Proceedings.POLICY,
          "clock",
          self.self().value(),
          JsonObject.of("why", Json.of(why)).with("wasAhead", Json.of(wasAhead)));
      return true;
    });
  }

  /**
   * From here on, versions that say who may do what are signed when they are written here, and are
   * taken from other nodes only where somebody signed them whom these keys trust.
   */
  public void demandProofs(AccessKeys keys) {
    access = keys;
  }

  /** Whose word counts here on accounts and tokens. */
  public AccessKeys accessKeys() {
    return access;
  }

  /** What other nodes said of accounts and tokens without a proof. */
  public UnprovenAccess unprovenAccess() {
    return unproven;
  }

  /** What other nodes sent although no node may. */
  public PeerFaults peerFaults() {
    return faults;
  }

  /** Notes that something was refused that another node sent. */
  public CompletableFuture<Boolean> noteFault(Sender sender, String what) {
    long now = nowMillis();
    return sequencer.submit(transaction -> {
      faults.note(transaction, sender, what, new byte[0], now);
      return true;
    });
  }

  /** Forgets what was refused of a node. */
  public CompletableFuture<Boolean> forgetFaults(String name) {
    return sequencer.submit(transaction -> {
      faults.forget(transaction, name);
      return true;
    });
  }

  /** Forgets what a node sent about accounts and tokens without a proof. */
  public CompletableFuture<Boolean> forgetUnprovenAccess(String name, String url) {
    return sequencer.submit(transaction -> {
      unproven.forget(transaction, name, url);
      return true;
    });
  }

  /**
   * Lets in all that waits here for this node's clock and that one node wrote, under whichever
   * incarnation. Its versions keep the times that they carry.
   *
   * @return how many joined
   */
  public CompletableFuture<Integer> admit(String name) {
    long now = nowMillis();
    return sequencer.submit(transaction -> receiver.admit(transaction, name, now));
  }

  /** How many versions of each node wait here for this node's clock. */
  public Map<String, Integer> heldForClock() {
    return receiver.heldForClock();
  }

  /** Keeps a small thing for whoever embeds the node, under a name. */
  public CompletableFuture<Boolean> keep(String name, byte[] value) {
    return sequencer.submit(transaction -> {
      transaction.put(Table.META, Keys.of("kept", name), value);
      return true;
    });
  }

  /** What was kept under a name. */
  public Optional<byte[]> kept(String name) {
    return Optional.ofNullable(store.get(Table.META, Keys.of("kept", name)));
  }

  /** A write for a group to agree on; see {@link #draft}. */
  public Command<Outcome> writing(WriteRequest request) {
    long start = System.nanoTime();
    IdentifiedRequest identified = IdentifiedRequest.of(request);
    Command<Outcome> command =
        new Command<>(
            Command.Kind.ONE_OF_MANY, transaction -> acceptor.accept(transaction, identified));
    var _ = command.answer().thenAccept(outcome -> answered(request, outcome, start));
    return command;
  }

  /** Writes for a group to agree on, all or none; see {@link #writeTogether}. */
  public Command<List<Outcome>> writingTogether(List<WriteRequest> requests) {
    long start = System.nanoTime();
    List<IdentifiedRequest> identified = IdentifiedRequest.together(requests);
    Command<List<Outcome>> command =
        new Command<>(
            Command.Kind.ALONE, transaction -> acceptor.acceptTogether(transaction, identified));
    var _ = command.answer().thenAccept(outcomes -> answered(requests, outcomes, start));
    return command;
  }

  /** A decision for a group to agree on; see {@link #decide}. */
  public Command<Decision.Result> deciding(
      String tenant,
      String reviewId,
      Decision decision,
      String actor,
      String reason,
      Optional<Locks.Fence> fence) {
    return new Command<>(
        Command.Kind.LOCAL_TOO,
        deciding(
            new FencedDecision(versionChecks, fence, actor), tenant, reviewId, decision, reason));
  }

  private Function<Transaction, Decision.Result> deciding(
      FencedDecision lock, String tenant, String reviewId, Decision decision, String reason) {
    return lock.around(
        transaction -> reviews.get(transaction, tenant, reviewId),
        transaction ->
            decider.decide(transaction, tenant, reviewId, decision, lock.actor(), reason));
  }

  /** A vote whose outcome a group is to agree on; see {@link #vote}. */
  public Command<Decision.Result> voting(
      String tenant,
      String reviewId,
      Decision choice,
      String voter,
      String signature,
      Optional<Locks.Fence> fence) {
    return new Command<>(
        Command.Kind.LOCAL_TOO,
        voting(
            new FencedDecision(versionChecks, fence, voter), tenant, reviewId, choice, signature));
  }

  private Function<Transaction, Decision.Result> voting(
      FencedDecision lock, String tenant, String reviewId, Decision choice, String signature) {
    return lock.around(
        transaction -> reviews.get(transaction, tenant, reviewId),
        transaction ->
            proceedings.vote(transaction, tenant, reviewId, choice, lock.actor(), signature));
  }

  /** What is due under policies whose records a group agrees on; see {@link #proceed}. */
  public Command<Integer> proceeding(Predicate<Policy> agreed) {
    long now = nowMillis();
    return new Command<>(
        Command.Kind.LOCAL_TOO, transaction -> proceedings.sweep(transaction, now, agreed));
  }

  /** Whether something is due, of whatever type. */
  public boolean isDue() {
    return reviews.nextDueMillis() <= nowMillis();
  }

  /**
   * Works out what a group of nodes would accept, in its name, on top of all it has agreed on up to
   * a number. Nothing of it is kept here until {@link #takeAgreed}, save that something was
   * refused; see {@link Drafts}.
   */
  public CompletableFuture<Proposal> draft(
      NodeId group, long after, List<? extends Command<?>> commands) {
    return sequencer.submit(transaction -> Drafts.draft(transaction, group, after, commands));
  }

  /**
   * Takes what a group has agreed on, in the order in which it has. Harmless when repeated.
   *
   * @return the versions that their records could not take, with the reasons; they are set aside
   */
  public CompletableFuture<List<String>> takeAgreed(NodeId group, Proposal agreed) {
    long now = nowMillis();
    return sequencer.submit(transaction -> drafts.take(transaction, group, agreed, now));
  }

  /**
   * Waits until this node has all that a vector names and readers see it, or the time is over, or
   * the node has stopped.
   *
   * @return whether it has
   */
  public boolean awaitKnown(VersionVector wanted, long timeoutMillis) throws InterruptedException {
    return watermark.awaitShown(
        position -> replication.known(position).dominates(wanted), timeoutMillis);
  }

  /** The position of the last durable version, of any tenant. */
  public long position() {
    return watermark.position();
  }

  /**
   * How many versions of other nodes have come and wait: for one that they build on, or for this
   * node's clock. Nobody reads them yet.
   */
  public long held() {
    return receiver.held();
  }

  /** Waits until something lies behind the position, or the time is over. */
  public void awaitBehind(long since, long timeoutMillis) throws InterruptedException {
    watermark.awaitBehind(since, timeoutMillis);
  }

  /** Writes back what a record was; what waited for a decision then waits again. */
  public CompletableFuture<Outcome> rollback(Snapshot then, String author, String reason) {
    return write(WriteRequest.rollback(then, author, reason));
  }

  public Optional<Review> review(String tenant, String reviewId) {
    return reviews.get(tenant, reviewId);
  }

  /**
   * Takes a decision back: what competed waits for a person again, under a new review.
   *
   * @param unit what they competed for
   * @param decided the record's context once it was decided
   * @param competing the values that competed
   */
  public CompletableFuture<Decision.Result> reopen(
      Review review,
      Unit unit,
      VersionVector decided,
      List<Json> competing,
      String actor,
      String reason) {
    return sequencer.submit(transaction ->
        decider.reopen(transaction, review, unit, decided, competing, actor, reason));
  }

  /**
   * What a strategy would settle a pending conflict to, whatever the policy says; empty where it
   * leaves it to people too.
   *
   * @throws IllegalArgumentException where there is no such strategy
   */
  public Optional<Json> settledBy(Review review, String strategy) {
    Policy rule;
    try {
      rule =
          PolicyLoader.load(
                  "type: "
                      + Json.of(review.key().type())
                      + "\ndefault: "
                      + Json.of(strategy)
                      + "\n")
              .policy();
    } catch (PolicyException e) {
      throw new IllegalArgumentException(e.getMessage(), e);
    }
    for (Resolution resolution :
        Records.derived(review.key(), read(review.key()).state(), rule).view().resolutions()) {
      if (resolution.conflict().label().equals(review.unit())
          && resolution.status() == Resolution.Status.RESOLVED) {
        return Optional.of(resolution.value());
      }
    }
    return Optional.empty();
  }

  /**
   * What has become of a version's parts, as of now; empty where the record has no such version.
   */
  public Optional<List<Fate>> fate(RecordKey key, Dot dot) {
    return archive
        .written(key, dot)
        .map(found -> Fate.of(found.version(), read(key), found.later()));
  }

  /**
   * Asks for what a version wrote and is not there any more: a review for each part of it.
   *
   * @return the reviews, none where all of it holds; empty where there is no such version
   */
  public CompletableFuture<Optional<List<Review>>> appeal(
      RecordKey key, Dot dot, String actor, String reason) {
    Optional<Archive.Written> found = archive.written(key, dot);
    if (found.isEmpty()) {
      return CompletableFuture.completedFuture(Optional.empty());
    }
    List<Fate> fates = Fate.of(found.get().version(), read(key), found.get().later());
    return sequencer.submit(transaction ->
        Optional.of(appeals.open(transaction, found.get().version(), fates, actor, reason)));
  }

  /** A page of reviews, oldest first. */
  public List<Review> reviews(
      String tenant, Review.Status status, Optional<byte[]> after, int limit) {
    return reviews.list(tenant, status, after, limit);
  }

  /** All reviews of a record. Reads all of its tenant. */
  public List<Review> reviewsOf(RecordKey key) {
    return reviews.of(key.tenant(), Set.of(key));
  }

  /** Where a page of reviews ends. */
  public static byte[] cursor(Review last) {
    return ReviewBook.cursor(last);
  }

  /** How many reviews wait, by what they are about. */
  public Map<OpenReviews.Subject, Long> openReviews() {
    return reviews.open().counts();
  }

  /** How many reviews of a tenant stand so. */
  public long countReviews(String tenant, Review.Status status) {
    return reviews.count(tenant, status);
  }

  /** Decides a review; see {@link Decision}. */
  public CompletableFuture<Decision.Result> decide(
      String tenant, String reviewId, Decision decision, String actor, String reason) {
    return decide(tenant, reviewId, decision, actor, reason, Optional.empty());
  }

  /** Decides a review while a lock is held. */
  public CompletableFuture<Decision.Result> decide(
      String tenant,
      String reviewId,
      Decision decision,
      String actor,
      String reason,
      Optional<Locks.Fence> fence) {
    FencedDecision lock = new FencedDecision(versionChecks, fence, actor);
    return sequencer.submit(deciding(lock, tenant, reviewId, decision, reason));
  }

  /**
   * What {@link #decide} would answer now; nothing is changed, and nothing is in the audit log.
   *
   * @param agreed whether a group agrees on such decisions, which keeps their consistency
   */
  public CompletableFuture<Decision.Result> tryDecision(
      String tenant, String reviewId, Decision decision, String actor, boolean agreed) {
    return sequencer.submit(transaction -> {
      if (agreed) {
        transaction.beginDraft(id(), position());
      }
      Decision.Result result =
          decider.decide(transaction, tenant, reviewId, decision, actor, "dry run");
      transaction.discard();
      return result;
    });
  }

  /** Takes up an ignored review again: it waits for a person as if it had just begun. */
  public CompletableFuture<Decision.Result> takeUp(
      String tenant, String reviewId, String actor, String reason) {
    return takeUp(tenant, reviewId, actor, reason, Optional.empty());
  }

  /** Takes up an ignored review while a lock is held. */
  public CompletableFuture<Decision.Result> takeUp(
      String tenant, String reviewId, String actor, String reason, Optional<Locks.Fence> fence) {
    return sequencer.submit(
        new FencedDecision(versionChecks, fence, actor)
            .around(
                transaction -> reviews.get(transaction, tenant, reviewId),
                transaction -> decider.takeUp(transaction, tenant, reviewId, actor, reason)));
  }

  /**
   * Casts a vote on a conflict that the policy has voted on.
   *
   * @param choice the value wanted; see {@link Decision}
   * @param signature of {@link dev.entente.core.vote.Question#statement} where the policy gives the
   *     voter a key; else empty, and the caller vouches for the voter
   */
  public CompletableFuture<Decision.Result> vote(
      String tenant, String reviewId, Decision choice, String voter, String signature) {
    return vote(tenant, reviewId, choice, voter, signature, Optional.empty());
  }

  /** Casts a vote while a lock is held. */
  public CompletableFuture<Decision.Result> vote(
      String tenant,
      String reviewId,
      Decision choice,
      String voter,
      String signature,
      Optional<Locks.Fence> fence) {
    FencedDecision lock = new FencedDecision(versionChecks, fence, voter);
    return sequencer.submit(voting(lock, tenant, reviewId, choice, signature));
  }

  /** Reviews on which a vote is being held here, of all tenants, at most so many. */
  public List<Review> polls(int max) {
    return polls.open(max);
  }

  /** Of the values that compete in a review, the one that came to this node first. */
  public Optional<Json> firstHad(Review review) {
    return polls.firstHad(review, asked -> records.read(asked.key()));
  }

  /**
   * Goes on with what policies do by themselves and what is due by now: time-outs and rollbacks.
   * Cheap where nothing is due; whoever embeds a node calls it a few times a second.
   *
   * @return how many reviews went on
   */
  public CompletableFuture<Integer> proceed() {
    if (mending.isPending()) {
      return mending.proceed().thenCompose(_ -> sweep());
    }
    return sweep();
  }

  private CompletableFuture<Integer> sweep() {
    long now = nowMillis();
    if (reviews.nextDueMillis() > now && !receiver.isDue(now)) {
      return CompletableFuture.completedFuture(0);
    }
    return sequencer
        .submit(transaction -> {
          if (receiver.isDue(now)) {
            receiver.proceed(transaction, now);
          }
          return proceedings.sweep(
              transaction, now, policy -> versionChecks.promised().whyNot(policy).isEmpty());
        })
        .thenCompose(
            went -> receiver.hasMore() ? sweep() : CompletableFuture.completedFuture(went));
  }

  /** The text of the policy in force, if one was put. */
  public Optional<String> policyText(String tenant, String type) {
    return policies.text(tenant, type);
  }

  public Policy policy(String tenant, String type) {
    return policies.inForce(tenant, type);
  }

  /** The types with a policy. */
  public List<String> policyTypes(String tenant) {
    return policies.types(tenant);
  }

  /**
   * Puts a policy in force.
   *
   * @return what to know about it
   * @throws PolicyException where it cannot be used
   */
  public CompletableFuture<List<PolicyProblem>> putPolicy(String tenant, String text, String actor)
      throws PolicyException {
    return enactment.put(tenant, text, checked(tenant, text), actor);
  }

  /**
   * Puts a policy in force that was built in code; see {@link PolicyWriter}.
   *
   * @throws IllegalArgumentException where no policy file says the same
   */
  public CompletableFuture<List<PolicyProblem>> putPolicy(
      String tenant, Policy policy, String actor) throws PolicyException {
    return putPolicy(tenant, PolicyWriter.write(policy), actor);
  }

  private PolicyLoader.Loaded checked(String tenant, String text) throws PolicyException {
    PolicyLoader.Loaded loaded = PolicyLoader.load(text);
    String type = loaded.policy().type();
    RecordedMerges.check(loaded.policy(), limit -> recordedConflicts(tenant, type, limit));
    return loaded;
  }

  /**
   * A policy as it would be put here now, for a group to agree on; each member then {@link #adopt
   * adopts} it.
   *
   * @throws PolicyException as {@link #putPolicy} does
   */
  public CompletableFuture<StampedPolicy> stampPolicy(String tenant, String text)
      throws PolicyException {
    return enactment.stamp(tenant, checked(tenant, text).policy().type(), text);
  }

  /** All policies in force, for other nodes. */
  public List<StampedPolicy> policies() {
    return policies.all();
  }

  /**
   * Puts a policy of another node in force, where it is later than what this one has.
   *
   * @param actor who put it, for the audit log
   * @return whether it was
   * @throws PolicyException where it cannot be used here
   */
  public CompletableFuture<Boolean> adopt(StampedPolicy told, String actor) throws PolicyException {
    return enactment.adopt(told, actor);
  }

  /** Stops writing to a scope from here on, at every node that hears of it; see {@link Freeze}. */
  public CompletableFuture<Boolean> freeze(Freeze freeze) {
    Edit edit = new Edit.Put(Freezes.data(freeze));
    return write(
            WriteRequest.of(
                Freezes.key(freeze.scope()), edit, new WriteRequest.Seen.Everything(), freeze.by()))
        .thenApply(_ -> true);
  }

  /** Ends a freeze; false where there was none. */
  public CompletableFuture<Boolean> thaw(String scope, String actor) {
    return sequencer.submit(transaction -> {
      boolean frozen = freezes.isFrozen(scope);
      if (frozen) {
        freezes.thawOld(transaction, scope, actor);
        acceptor.accept(
            transaction,
            WriteRequest.of(
                Freezes.key(scope), new Edit.Delete(), new WriteRequest.Seen.Everything(), actor));
      }
      return frozen;
    });
  }

  /** What is frozen of a tenant. */
  public List<Freeze> freezes(String tenant) {
    return freezes.of(tenant);
  }

  /** What freezes a record, if something does. */
  public Optional<Freeze> freezeOver(RecordKey key) {
    return freezes.over(key);
  }

  /** Audit entries of a tenant below a sequence number, newest first. */
  public List<AuditEntry> audit(String tenant, long beforeSequence, int limit) {
    return audit(entry -> entry.tenant().equals(tenant), beforeSequence, limit);
  }

  /** The end of the audit log as it is durable now. */
  public AuditHead auditHead() {
    return auditLog.head();
  }

  /** The audit log as it ended with an entry; empty where there is no such entry. */
  public Optional<AuditHead> auditHead(long sequence) {
    return auditLog.head(sequence);
  }

  /** The latest audit entries that somebody looks for, newest first. */
  public List<AuditEntry> audit(Predicate<AuditEntry> wanted, long beforeSequence, int limit) {
    return auditLog.entries(wanted, beforeSequence, limit);
  }

  /**
   * The latest moments at which writes to records of a type met a conflict, newest first.
   *
   * @param limit how many at most; older ones are left out
   */
  public List<RecordedConflict> recordedConflicts(String tenant, String type, int limit) {
    return archive.conflicts(tenant, type, limit);
  }

  /**
   * What this node and another had written without each other, and what has become of it, once this
   * node has all of it. Reads the log.
   *
   * @param since a position behind which all lies that the other lacked
   * @param mine what this node had when they met again
   * @param theirs what the other had then
   */
  public Divergence diverged(long since, VersionVector mine, VersionVector theirs) {
    return divergences.after(since, mine, theirs);
  }

  /**
   * What would become of it if versions of another node came in. Nothing is changed. Contention
   * between records is not looked at.
   *
   * @param since a position behind which all lies that the other lacks
   * @param versions what this node lacks, in the order of the other's log
   * @param theirs what the other has
   * @param complete whether those are all
   */
  public Divergence wouldDiverge(
      long since, List<byte[]> versions, VersionVector theirs, boolean complete) {
    return divergences.before(since, versions, theirs, complete);
  }

  /**
   * Writes all that this node has at one moment, for a new node to begin with; see {@link
   * Bootstrap#read}. Writers go on meanwhile.
   */
  public void copyTo(OutputStream out) throws IOException {
    Bootstrap.write(store, out);
  }

  /** Keeps an account of something that concerns the cluster in the audit log. */
  public CompletableFuture<Boolean> account(String action, String subject, Json detail) {
    return sequencer.submit(transaction -> {
      transaction.audit(
          transaction.clock().next(), "", Proceedings.POLICY, action, subject, detail);
      return true;
    });
  }

  /** Keeps in the audit log of a tenant what was refused before it became a write. */
  public CompletableFuture<Boolean> refused(
      String tenant, String actor, String subject, Json detail) {
    return sequencer.submit(transaction -> {
      transaction.auditRefusal(
          transaction.clock().next(), tenant, actor, "rejected", subject, detail);
      return true;
    });
  }

  /** What this node holds, in few bytes. Reads every state. */
  public Digest digest() {
    return Digests.of(store, known());
  }

  /** The records of a bucket of the digest, at most so many. */
  public List<Digest.Entry> digest(int bucket, int max) {
    return Digests.bucket(store, bucket, max);
  }

  /** The versions of a record that are kept, as bytes, in the order in which they came. */
  public List<byte[]> versions(RecordKey key) {
    return archive.past(key).versions().stream().map(VersionCodec::toBytes).toList();
  }

  /**
   * Works out a record's state anew from the log, and puts it where it differs from what is there.
   * Goes through the tenant's whole log and holds writes meanwhile: for what is damaged only.
   *
   * @return whether it differed
   */
  public CompletableFuture<Boolean> rebuild(RecordKey key) {
    return sequencer.submit(transaction -> {
      RecordState state = Reconstruction.record(store, key);
      if (!Reconstruction.isDamaged(store, transaction, key, state)) {
        return false;
      }
      transaction.putRebuilt(
          Records.derived(key, state, policies.inForce(key.tenant(), key.type())));
      transaction.audit(
          transaction.clock().next(),
          key.tenant(),
          Proceedings.POLICY,
          "rebuild",
          key.toString(),
          JsonObject.of("why", Json.of("the state was not what the versions say")));
      return true;
    });
  }

  /**
   * Lets go of a stretch of a tenant's old versions, where every node has them; see {@link
   * Retention}. Waits for a verification to end, and until it is durable.
   *
   * @param limits what is no longer kept
   * @param stable what every node has
   * @param needed tells of a version whether something needs it, however old it is
   * @param from where to go on, as the stretch before said; 0 for the beginning
   * @param dryRun whether only to say what would be let go
   */
  Pruned prune(
      String tenant,
      Retention.Limits limits,
      VersionVector stable,
      BiPredicate<RecordKey, Dot> needed,
      long from,
      boolean dryRun) {
    prunes.lock();
    try {
      Pruning.Plan plan = pruning.plan(tenant, limits, stable, needed, from);
      return dryRun || plan.beginnings().isEmpty()
          ? plan.pruned()
          : alone(transaction -> pruning.carryOut(transaction, plan, limits));
    } finally {
      prunes.unlock();
    }
  }

  /** A hash of every version by its dot, to compare with other nodes. */
  public VersionIndex versionIndex() {
    return versionIndex;
  }

  /** Ends it that numbers stand for other versions here than elsewhere. */
  public Mending mending() {
    return mending;
  }

  /** What was erased of records, and carrying that out. */
  public Erasures erasures() {
    return erasures;
  }

  /** Decides something while nothing is verified or pruned; waits until it is durable. */
  <T> T alone(Function<Transaction, T> job) {
    prunes.lock();
    try {
      return sequencer.submit(job).join();
    } finally {
      prunes.unlock();
    }
  }

  /** Lets go of a tenant's reviews that were closed before a moment; returns how many. */
  int forgetReviews(String tenant, Instant before) {
    int together = 500;
    int all = 0;
    int gone;
    do {
      gone =
          sequencer
              .submit(transaction ->
                  reviews.forget(transaction, tenant, before.toEpochMilli(), together))
              .join();
      all += gone;
    } while (gone == together);
    return all;
  }

  /**
   * Up to where a tenant's log may lack versions that are not kept any more; 0 where it is whole.
   */
  public long prunedUpTo(String tenant) {
    return Pruning.horizon(store::get, tenant);
  }

  /** Since when the versions of a record are kept; empty where all are. */
  public Optional<Instant> keptSince(RecordKey key) {
    return archive.keptSince(key);
  }

  /** Checks the audit chain and the versions it vouches for. Nothing is pruned meanwhile. */
  public Verification verify(LongConsumer progress) {
    prunes.lock();
    try {
      return Verification.of(store, position(), progress);
    } finally {
      prunes.unlock();
    }
  }

  /**
   * Compares all files of the store with their checksums; others go on meanwhile.
   *
   * @param pace hears after each file how many bytes it had, and may wait
   */
  public List<DamagedFile> scrub(LongConsumer pace) {
    return store.scrub(pace);
  }

  /** Whether a read has met damage since the last scrub. */
  public boolean hasMetDamage() {
    return store.hasMetDamage();
  }

  /** Stops because of damage in the store; {@link #failure} is then what is given. */
  public void stop(DamagedStoreException why) {
    CompletableFuture<Boolean> _ =
        sequencer.submit(transaction -> {
          transaction.end();
          transaction.afterwards(() -> {
            throw why;
          });
          return true;
        });
  }

  /** The node's physical clock, in milliseconds since 1970. */
  public long nowMillis() {
    return physical.getAsLong();
  }

  /** Finishes what was taken, then closes the store. */
  @Override
  public void close() {
    sequencer.close();
    store.close();
  }
}
