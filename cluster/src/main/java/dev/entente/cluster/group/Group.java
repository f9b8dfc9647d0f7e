// SPDX-License-Identifier: Apache-2.0
package dev.entente.cluster.group;

import dev.entente.core.causality.NodeId;
import dev.entente.core.causality.VersionVector;
import dev.entente.core.codec.ByteReader;
import dev.entente.core.codec.ByteReader.DamagedException;
import dev.entente.core.codec.ByteWriter;
import dev.entente.core.codec.VersionCodec;
import dev.entente.core.policy.PolicyLoader;
import dev.entente.core.policy.PolicyProblem.PolicyException;
import dev.entente.engine.Command;
import dev.entente.engine.Locks;
import dev.entente.engine.Node;
import dev.entente.engine.NodeStoppedException;
import dev.entente.engine.OverloadedException;
import dev.entente.engine.Proposal;
import dev.entente.engine.StampedPolicy;
import dev.entente.engine.codec.LockCodec;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * A member of the group of nodes that agree before they accept: versions of strong types in the
 * name of the group, and locks. Thread-safe.
 *
 * <p>Commands that come while a proposal is on its way wait and go together in the next one, so
 * that a round of the group, not a command, costs a round trip and a sync. A proposal names the
 * number that it builds on; where something else was agreed on first, it is void everywhere and is
 * worked out anew.
 */
public final class Group implements AgreedLog {
  /** The id under which the group writes. */
  public static final NodeId ID = new NodeId(NodeId.GROUP + ".1");

  private static final byte[] AGREED = {1};
  private static final byte[] VOID = {0};
  private static final int BATCH_MAX = 500;
  private static final int QUEUE_MAX = 10_000;
  private static final int ATTEMPTS_MAX = 20;
  private static final long PATIENCE_MILLIS = 5_000;
  private static final int FORMAT = 5;
  private static final long OVERLOAD_PAUSE_NANOS = TimeUnit.MILLISECONDS.toNanos(5);

  /** Snapshots that did not count what was set aside. */
  private static final int FORMAT_WITHOUT_COUNT = 4;

  /** Snapshots of releases that did not say who proposes an entry. */
  private static final int FORMAT_WITHOUT_MEMBERS = 3;

  /** Snapshots of releases that timed leases by the leader's wall clock. */
  private static final int FORMAT_WITHOUT_SESSION = 2;

  /**
   * How long a member that comes back waits for what the others have agreed on without it while
   * nothing comes in.
   */
  private static final long CATCH_UP_MILLIS = 60_000;

  private final Node node;
  private final MemberStanding member = new MemberStanding();
  private final Deque<Pending<?>> queue = new ArrayDeque<>();
  private @Nullable Consensus consensus;
  private boolean proposing;

  /** The last number that the group has agreed on, as far as it is applied here. */
  private volatile long position;

  private volatile SplitBrain splitBrain = SplitBrain.DEFAULT;

  private final LongSupplier steadyMillis;

  /** By whose clock this member's commands for locks are timed: this process's. */
  private final String session;

  /** Guarded by the lock state, as the next three are. */
  private Locks locks = new Locks();

  /** By whose clock the last command for locks was timed, and what that said. */
  private LockTime lastTimed = LockTime.NONE;

  /** How many commands for locks were agreed on. */
  private long lockCommands;

  /** When the last command for locks came here, by this member's clock that never jumps. */
  private long heardAtMillis;

  private final Object lockState = new Object();

  private static final class Pending<T> {
    final Command<T> command;
    int attempts;

    Pending(Command<T> command) {
      this.command = command;
    }
  }

  /** A member that keeps what the group agrees on in a node. */
  public Group(Node node) {
    this(node, () -> TimeUnit.NANOSECONDS.toMillis(System.nanoTime()));
  }

  /** The same, with a clock of its own that only ever goes forward. */
  public Group(Node node, LongSupplier steadyMillis) {
    this.node = node;
    this.steadyMillis = steadyMillis;
    this.session = node.id() + "/" + node.nowMillis() + "/" + steadyMillis.getAsLong();
  }

  /** From here on the group agrees by these means; they apply to this very object. */
  public synchronized void join(Consensus means) {
    consensus = means;
  }

  private synchronized Consensus consensus() {
    Consensus means = consensus;
    if (means == null) {
      throw new NotLeadingException(Optional.empty());
    }
    return means;
  }

  /** How the group is, as this member sees it. */
  public Consensus.Standing standing() {
    return consensus().standing();
  }

  /** Where each member listens for the others, by name. */
  public Map<String, String> addresses() {
    return consensus().addresses();
  }

  /** Changes who the members are; see {@link Consensus#change}. */
  public CompletableFuture<Void> change(Map<String, String> voters) {
    return consensus().change(voters);
  }

  /** The last number that the group has agreed on and this member has applied. */
  public long position() {
    return position;
  }

  /** Completes once all that was agreed on before this call can be read from the node. */
  public CompletableFuture<Void> barrier() {
    return consensus().barrier().orTimeout(PATIENCE_MILLIS, TimeUnit.MILLISECONDS);
  }

  /**
   * Has the group agree on a command, on the member that leads.
   *
   * @return the answer; fails with {@link NotLeadingException} where nothing was done, with {@link
   *     UnknownOutcomeException} where that cannot be known
   */
  public <T> CompletableFuture<T> submit(Command<T> command) {
    synchronized (this) {
      if (queue.size() >= QUEUE_MAX) {
        return CompletableFuture.failedFuture(
            new OverloadedException(QUEUE_MAX + " requests wait for agreement"));
      }
      queue.add(new Pending<>(command));
    }
    pump();
    return command.answer();
  }

  /** Begins the next proposal where none is on its way. */
  private void pump() {
    List<Pending<?>> batch;
    synchronized (this) {
      if (proposing || queue.isEmpty()) {
        return;
      }
      proposing = true;
      batch = nextBatch();
    }
    var _ =
        propose(batch)
            .whenComplete((agreed, problem) -> {
              settle(batch, agreed, problem);
              synchronized (this) {
                proposing = false;
              }
              pump();
            });
  }

  private List<Pending<?>> nextBatch() {
    List<Pending<?>> batch = new ArrayList<>();
    do {
      batch.add(queue.removeFirst());
    } while (batch.getFirst().command.isBatched()
        && batch.getFirst().attempts < ATTEMPTS_MAX / 2
        && batch.size() < BATCH_MAX
        && !queue.isEmpty()
        && queue.getFirst().command.isBatched());
    return batch;
  }

  private CompletableFuture<Boolean> propose(List<Pending<?>> batch) {
    try {
      Consensus.Standing standing = standing();
      if (!standing.leading()) {
        throw new NotLeadingException(standing.leader());
      }
      if (node.known().get(ID) < position) {
        throw new NotLeadingException(Optional.empty());
      }
      return node.draft(ID, position, batch.stream().map(p -> p.command).toList())
          .thenCompose(proposal -> propose(body(proposal)))
          .thenApply(answer -> !isVoid(answer));
    } catch (RuntimeException e) {
      return CompletableFuture.failedFuture(e);
    }
  }

  /** Has the group agree on an entry; says apart what was not done and what cannot be known. */
  private CompletableFuture<byte[]> propose(byte[] body) {
    byte[] entry = AgreedEntry.seal(node.id(), body);
    try {
      check(entry);
    } catch (DamagedException | EntryTooLargeException e) {
      return CompletableFuture.failedFuture(e);
    }
    return consensus()
        .propose(entry)
        .orTimeout(PATIENCE_MILLIS, TimeUnit.MILLISECONDS)
        .exceptionallyCompose(problem ->
            CompletableFuture.failedFuture(
                cause(problem) instanceof NotLeadingException not
                    ? not
                    : new UnknownOutcomeException(cause(problem))));
  }

  private static boolean isVoid(byte[] answer) {
    return answer[0] == VOID[0];
  }

  /** The answer to an entry that must not be void: it would be where its proposer was removed. */
  private static byte[] agreed(byte[] answer) {
    if (isVoid(answer)) {
      throw new NotLeadingException(Optional.empty());
    }
    return answer;
  }

  private static Throwable cause(Throwable problem) {
    return problem instanceof CompletionException && problem.getCause() != null
        ? problem.getCause()
        : problem;
  }

  private void settle(List<Pending<?>> batch, @Nullable Boolean agreed, @Nullable Throwable why) {
    Throwable problem = why == null ? null : cause(why);
    if (problem == null && Boolean.TRUE.equals(agreed)) {
      batch.forEach(pending -> pending.command.complete());
    } else if (problem instanceof NotLeadingException
        || problem instanceof UnknownOutcomeException) {
      batch.forEach(pending -> pending.command.fail(problem));
    } else if (problem != null && batch.size() == 1) {
      batch.getFirst().command.fail(problem);
    } else {
      // Void, or one of several cannot be worked out: again, at last each by itself.
      again(batch, problem != null);
    }
  }

  private void again(List<Pending<?>> batch, boolean alone) {
    List<Pending<?>> given = new ArrayList<>();
    synchronized (this) {
      for (Pending<?> pending : batch.reversed()) {
        pending.attempts = alone ? ATTEMPTS_MAX / 2 : pending.attempts + 1;
        if (pending.attempts >= ATTEMPTS_MAX) {
          given.add(pending);
        } else {
          queue.addFirst(pending);
        }
      }
    }
    given.forEach(pending -> pending.command.fail(new NotLeadingException(Optional.empty())));
  }

  private static byte[] body(Proposal proposal) {
    return new ByteWriter().u8(AgreedEntry.VERSIONS).raw(proposal.toBytes()).toBytes();
  }

  /**
   * Asks for a lock, or gives it back; fails as {@link #submit} does.
   *
   * <p>Leases are measured in a time of the group's own. Each command says when it was proposed, by
   * which process's clock; between two commands of one process the group's time moves by the
   * difference, and where another process has taken over it does not move. That process's clock
   * counts from its first command on that it proposed once it had applied all before. So between
   * two commands never more of the group's time passes than real time did, whoever leads and
   * whatever wall clocks say, and no lease ends early.
   */
  public CompletableFuture<Locks.Answer> lock(Locks.Command command) {
    ByteWriter body = new ByteWriter().u8(AgreedEntry.TIMED_LOCK);
    synchronized (lockState) {
      new LockTime(session, steadyMillis.getAsLong(), lockCommands).write(body);
    }
    body.raw(LockCodec.toBytes(command));
    return propose(body.toBytes()).thenApply(answer -> LockCodec.answer(agreed(answer)));
  }

  /** What the group has agreed to do where it is split. */
  public SplitBrain splitBrain() {
    return splitBrain;
  }

  /** Has the group agree on what to do where it is split; fails as {@link #submit} does. */
  public CompletableFuture<SplitBrain> settle(SplitBrain wanted) {
    ByteWriter body = new ByteWriter().u8(AgreedEntry.SETTINGS);
    wanted.write(body);
    return propose(body.toBytes()).thenApply(Group::agreed).thenApply(_ -> wanted);
  }

  /**
   * Has the group agree on a policy, which is in force on each member once that member hears of it;
   * fails as {@link #submit} does.
   */
  public CompletableFuture<StampedPolicy> enact(StampedPolicy policy, String actor) {
    ByteWriter body = new ByteWriter().u8(AgreedEntry.POLICY).text(actor);
    policy.write(body);
    return propose(body.toBytes()).thenApply(Group::agreed).thenApply(_ -> policy);
  }

  /** Waits until an owner holds a lock, as far as this member has heard, or the time is over. */
  public Optional<Locks.Grant> awaitLock(Locks.Name name, String owner, long timeoutMillis)
      throws InterruptedException {
    long end = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(timeoutMillis);
    synchronized (lockState) {
      while (true) {
        Optional<Locks.Grant> held =
            locks.holder(name).filter(grant -> grant.owner().equals(owner));
        long left = TimeUnit.NANOSECONDS.toMillis(end - System.nanoTime());
        if (held.isPresent() || left <= 0) {
          return held;
        }
        lockState.wait(left);
      }
    }
  }

  /** Who holds a lock, as far as this member has heard. */
  public Optional<Locks.Grant> holder(Locks.Name name) {
    synchronized (lockState) {
      return locks.holder(name);
    }
  }

  /** Whether a lock is held under a token, as far as this member has heard. */
  public boolean isHeld(Locks.Fence fence) {
    synchronized (lockState) {
      return locks.isHeld(fence);
    }
  }

  /** The locks of a tenant, as far as this member has heard. */
  public List<Locks.Lock> locks(String tenant) {
    synchronized (lockState) {
      return locks.of(tenant);
    }
  }

  /** Ends leases that are over, where this member leads. Called a few times a second. */
  public void tick() {
    boolean due;
    synchronized (lockState) {
      // Whoever leads anew has its own clock count from its first command on.
      boolean counts = lastTimed.session().equals(session);
      due =
          counts
              ? locks.isDue(
                  locks.timeMillis() + steadyMillis.getAsLong() - lastTimed.steadyMillis())
              : locks.isAnyHeld();
    }
    if (due && standing().leading()) {
      var _ = lock(new Locks.Command.Tick());
    }
  }

  /**
   * Applies an agreed entry. One that is malformed, or that its proposer may not write, is answered
   * as void on every member alike, since the check looks at nothing but the entry and what was
   * agreed on before; the group goes on with the next. Where this member cannot go on as the others
   * do, it steps back.
   */
  @Override
  public byte[] apply(byte[] entry) {
    member.requireGoesOn();
    try {
      AgreedEntry.Proposed read = AgreedEntry.read(entry);
      member.admit(read.proposer());
      member.applies(read.proposer());
      return applied(read.entry());
    } catch (DamagedException e) {
      member.quarantine(entry, String.valueOf(e.getMessage()));
      return VOID;
    } catch (RuntimeException e) {
      Throwable why = cause(e);
      boolean stopped = why instanceof NodeStoppedException || node.failure().isPresent();
      throw stopped ? e : member.stepBack(why);
    }
  }

  private byte[] applied(AgreedEntry entry) {
    return switch (entry) {
      case AgreedEntry.Versions versions -> applied(versions.proposal());
      case AgreedEntry.Lock lock -> applied(lock.atMillis(), lock.command());
      case AgreedEntry.TimedLock lock -> applied(lock.timed(), lock.command());
      case AgreedEntry.Settings settings -> {
        splitBrain = settings.splitBrain();
        yield AGREED;
      }
      case AgreedEntry.Policy policy -> applied(policy.actor(), policy.policy());
    };
  }

  /** Refuses what this release would not apply, and what is too large for an entry. */
  @Override
  public void check(byte[] entry) {
    if (entry.length > AgreedEntry.BYTES_MAX) {
      throw new EntryTooLargeException(entry.length, AgreedEntry.BYTES_MAX);
    }
    AgreedEntry.Proposed read = AgreedEntry.read(entry);
    if (read.proposer().isEmpty()) {
      throw new DamagedException("an entry that does not say who proposes it");
    }
    member.admit(read.proposer());
    switch (read.entry()) {
      case AgreedEntry.Policy(String _, StampedPolicy policy) -> requireReadable(policy);
      case AgreedEntry.Versions(Proposal proposal) -> requireAcceptable(proposal);
      case AgreedEntry.Lock _, AgreedEntry.TimedLock _, AgreedEntry.Settings _ -> {}
    }
  }

  /** A version that members would set aside when they apply it is not proposed. */
  private static void requireAcceptable(Proposal proposal) {
    for (byte[] bytes : proposal.versions()) {
      VersionCodec.problem(VersionCodec.fromBytes(bytes), bytes)
          .ifPresent(problem -> {
            throw new DamagedException("a version that no node accepts: " + problem);
          });
    }
  }

  private static void requireReadable(StampedPolicy policy) {
    String type;
    try {
      type = PolicyLoader.loadInForce(policy.text()).policy().type();
    } catch (PolicyException | IllegalArgumentException e) {
      throw new DamagedException(
          "a policy for " + policy.type() + " that cannot be read: " + e.getMessage());
    }
    if (!type.equals(policy.type())) {
      throw new DamagedException("a policy for " + policy.type() + " that is one for " + type);
    }
  }

  @Override
  public void members(Set<String> names) {
    member.members(names);
  }

  /** How many agreed entries and versions were set aside, also before this process began. */
  public long quarantined() {
    return member.quarantined();
  }

  /** Whether this process has set something aside, which an operator may not have looked at. */
  public boolean hasQuarantined() {
    return member.hasQuarantined();
  }

  /** What was set aside last, and why. */
  public Optional<String> lastQuarantined() {
    return member.lastQuarantined();
  }

  /** Why this member applies nothing more until it is started again; empty where it goes on. */
  public Optional<String> steppedBack() {
    return member.steppedBack();
  }

  private byte[] applied(Proposal proposal) {
    if (proposal.after() != position) {
      return VOID;
    }
    synchronized (lockState) {
      if (!proposal.fences().stream().allMatch(locks::isHeld)) {
        return VOID;
      }
    }
    if (!proposal.versions().isEmpty() || !proposal.answers().isEmpty()) {
      taken(() -> node.takeAgreed(ID, proposal)).forEach(member::setAside);
      position = proposal.last();
    }
    return AGREED;
  }

  private byte[] applied(String actor, StampedPolicy policy) {
    requireReadable(policy);
    taken(() -> {
      try {
        return node.adopt(policy, actor);
      } catch (PolicyException e) {
        throw new DamagedException(String.valueOf(e.getMessage()));
      }
    });
    return AGREED;
  }

  /**
   * Waits for the node to take what was agreed on: it cannot be refused for having too much to do.
   */
  private static <T> T taken(Supplier<CompletableFuture<T>> taking) {
    while (true) {
      try {
        return taking.get().join();
      } catch (OverloadedException e) {
        LockSupport.parkNanos(OVERLOAD_PAUSE_NANOS);
      }
    }
  }

  private byte[] applied(LockTime timed, Locks.Command command) {
    synchronized (lockState) {
      boolean goesOn = timed.session().equals(lastTimed.session());
      long passed = goesOn ? Math.max(0, timed.steadyMillis() - lastTimed.steadyMillis()) : 0;
      if (!goesOn) {
        // A clock that was read before the last command was proposed would count time twice.
        lastTimed = timed.after() == lockCommands ? timed : LockTime.NONE;
      } else if (passed > 0) {
        lastTimed = timed;
      }
      return applied(locks.timeMillis() + passed, command);
    }
  }

  private byte[] applied(long atMillis, Locks.Command command) {
    synchronized (lockState) {
      heardAtMillis = steadyMillis.getAsLong();
      lockCommands++;
      Locks.Answer answer = locks.apply(command, atMillis);
      lockState.notifyAll();
      return LockCodec.toBytes(answer);
    }
  }

  /** About how long a lock is still held, in milliseconds, as far as this member has heard. */
  public long restMillis(Locks.Grant grant) {
    synchronized (lockState) {
      return grant.untilMillis() - locks.timeMillis() - (steadyMillis.getAsLong() - heardAtMillis);
    }
  }

  @Override
  public byte[] snapshot() {
    synchronized (lockState) {
      ByteWriter out = new ByteWriter().u8(FORMAT).u64(position);
      splitBrain.write(out);
      lastTimed.write(out);
      out.u64(lockCommands);
      member.write(out);
      return out.raw(locks.toBytes()).toBytes();
    }
  }

  /** Waits for as long as anything comes in; there may be much that comes first. */
  private boolean caughtUp(VersionVector agreed) throws InterruptedException {
    long before;
    do {
      before = node.position();
      if (node.awaitKnown(agreed, CATCH_UP_MILLIS)) {
        return true;
      }
    } while (node.position() > before);
    return false;
  }

  /** The versions themselves come from the logs of other nodes, as all versions do. */
  @Override
  public void restore(byte[] snapshot) {
    ByteReader in = new ByteReader(snapshot);
    int format = in.u8();
    if (format > FORMAT || format < FORMAT_WITHOUT_SESSION) {
      throw new DamagedException("a snapshot of the unknown format " + format);
    }
    long last = in.u64();
    SplitBrain agreed = SplitBrain.read(in);
    LockTime timed = format > FORMAT_WITHOUT_SESSION ? LockTime.read(in) : LockTime.NONE;
    long commands = format > FORMAT_WITHOUT_SESSION ? in.u64() : 0;
    MemberStanding.Members members =
        format > FORMAT_WITHOUT_MEMBERS
            ? MemberStanding.Members.read(in)
            : MemberStanding.Members.UNKNOWN;
    long setAside = format > FORMAT_WITHOUT_COUNT ? in.varint() : 0;
    String lastSetAside = format > FORMAT_WITHOUT_COUNT ? in.text() : "";
    Locks restored = Locks.fromBytes(in.rest());
    try {
      if (last > 0 && !caughtUp(VersionVector.of(Map.of(ID, last)))) {
        if (node.failure().isPresent()) {
          throw new NodeStoppedException("the node has stopped", node.failure().get());
        }
        throw new IllegalStateException(
            "this node lacks what the group agreed on up to " + last + ", and no other sends it");
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("the node is stopping", e);
    }
    position = last;
    splitBrain = agreed;
    member.restore(members);
    member.restoreQuarantined(setAside, lastSetAside);
    synchronized (lockState) {
      locks = restored;
      lastTimed = timed;
      lockCommands = commands;
      heardAtMillis = steadyMillis.getAsLong();
      lockState.notifyAll();
    }
  }
}
