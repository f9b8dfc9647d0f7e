// SPDX-License-Identifier: Apache-2.0
package dev.entente.cluster;

import dev.entente.cluster.group.Group;
import dev.entente.cluster.group.NotLeadingException;
import dev.entente.cluster.group.SplitBrain;
import dev.entente.core.causality.VersionVector;
import dev.entente.core.policy.Consistency;
import dev.entente.core.policy.Policy;
import dev.entente.core.policy.PolicyLoader;
import dev.entente.core.policy.PolicyProblem;
import dev.entente.core.policy.PolicyProblem.PolicyException;
import dev.entente.core.record.RecordKey;
import dev.entente.engine.Command;
import dev.entente.engine.Decision;
import dev.entente.engine.Locks;
import dev.entente.engine.Node;
import dev.entente.engine.Outcome;
import dev.entente.engine.Promise;
import dev.entente.engine.WriteRequest;
import dev.entente.engine.codec.LockCodec;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;

/**
 * Who may accept the records of a type now, and what has to have happened before a read or an
 * acknowledgement keeps what the type promises. A node on its own may do everything. Thread-safe.
 */
public final class Authority {
  private static final long PATIENCE_MILLIS = 5_000;

  /** How long voters that start may take to choose who leads. */
  private static final long START_MILLIS = 15_000;

  /** Where records of a type are accepted now. */
  public sealed interface Place {
    /** By this node alone. */
    record Here() implements Place {}

    /** By the group that this node leads. */
    record Together() implements Place {}

    /** By another node. */
    record There(String node, String url) implements Place {}

    /** By nobody that this node can reach. */
    record Nowhere(String why) implements Place {}
  }

  private final Node node;
  private final ReadBarrier reads;
  private final long leaseMillis;
  private volatile Role role = new Role.Alone(Optional.empty());
  private volatile long joinedAtMillis;

  /** The authority of a node on its own. */
  public Authority(Node node) {
    this(node, PrimaryLeases.LEASE_MILLIS);
  }

  /**
   * The same, with other leases for primaries.
   *
   * @param leaseMillis how long a primary accepts alone without asking again
   */
  public Authority(Node node, long leaseMillis) {
    this.node = node;
    this.leaseMillis = leaseMillis;
    this.reads = new ReadBarrier(node, PATIENCE_MILLIS);
    node.promise(
        new Promise() {
          @Override
          public Optional<String> whyNot(Policy policy) {
            return Authority.this.whyNot(policy);
          }

          @Override
          public Optional<String> whyNot(Locks.Fence fence) {
            return Authority.this.whyNot(fence);
          }
        });
  }

  /**
   * From here on there are other nodes.
   *
   * @param named the names of the nodes that vote; empty where there are none
   */
  public void join(Cluster joined, CoordinatorHost host, List<String> named) {
    joinedAtMillis = joined.nowMillis();
    role = new Role.Member(joined, host, named);
  }

  /** From here on this node votes. */
  public void join(Group group) {
    role =
        switch (role) {
          case Role.Alone _ -> new Role.Alone(Optional.of(group));
          case Role.Clustered clustered -> {
            Cluster cluster = clustered.cluster();
            cluster.tells(() -> Optional.of(stepsDown().orElse("")));
            yield clustered.votesIn(
                group,
                new PrimaryLeases(
                    cluster, group, command -> ask(command, Optional.empty()), leaseMillis));
          }
        };
  }

  /** From here on this node does not vote. */
  void leave() {
    role =
        switch (role) {
          case Role.Alone _ -> new Role.Alone(Optional.empty());
          case Role.Member member -> member;
          case Role.Voter voter -> {
            voter.cluster().tells(Optional::empty);
            yield voter.leaves();
          }
        };
  }

  /** The group that this node votes in. */
  public Optional<Group> group() {
    return role.voting();
  }

  /** Where records under a policy are accepted now. */
  public Place place(Policy policy) {
    return Placement.of(role, policy);
  }

  /** Why this node's side of a split has stepped down; empty where it goes on. */
  public Optional<String> stepsDown() {
    return Placement.stepsDown(role);
  }

  /** Why this voter cannot accept what has to be agreed on; empty where it can. */
  public Optional<String> disagrees() {
    Optional<Group> voting = group();
    return voting.isEmpty() || voting.get().standing().leader().isPresent()
        ? Optional.empty()
        : node.tenants().stream()
            .flatMap(tenant ->
                node.policyTypes(tenant).stream()
                    .filter(type -> node.policy(tenant, type).consistency().mustAgree())
                    .map(type -> tenant + "/" + type))
            .findFirst()
            .map(type ->
                "the voters have no leader; records such as " + type + " cannot be written");
  }

  /** Where a policy is put in force: by the group, where its type must agree now or then. */
  public Place placeOf(String tenant, Policy drafted) {
    return role instanceof Role.Clustered clustered
            && !clustered.voters().isEmpty()
            && (drafted.consistency().mustAgree()
                || node.policy(tenant, drafted.type()).consistency().mustAgree())
        ? Placement.ofTheGroup(clustered)
        : new Place.Here();
  }

  /**
   * As {@link #placeOf}; where the nodes have only just started, it waits until they have found
   * each other.
   */
  public Place awaitPlaceOf(String tenant, Policy drafted) throws InterruptedException {
    Place place = placeOf(tenant, drafted);
    while (place instanceof Place.Nowhere
        && role instanceof Role.Clustered clustered
        && clustered.cluster().nowMillis() < joinedAtMillis + START_MILLIS) {
      Thread.sleep(100);
      place = placeOf(tenant, drafted);
    }
    return place;
  }

  /**
   * Puts a policy in force, as {@link Node#putPolicy} does or by the group; see {@link #placeOf}.
   *
   * @throws UnavailableException where no group is to be had
   */
  public CompletableFuture<List<PolicyProblem>> putPolicy(
      String tenant, PolicyLoader.Loaded loaded, String text, String actor) throws PolicyException {
    Optional<Group> voting = group();
    return switch (placeOf(tenant, loaded.policy())) {
      case Place.Here() -> node.putPolicy(tenant, text, actor);
      case Place.Nowhere(String why) ->
          throw new UnavailableException("the type must agree, its policy too: " + why);
      case Place.Together() when voting.isPresent() ->
          node.stampPolicy(tenant, text)
              .thenCompose(stamped -> voting.get().enact(stamped, actor))
              .thenApply(_ -> loaded.warnings());
      case Place.Together(), Place.There _ ->
          throw new UnavailableException("who puts such policies has just changed; try again");
    };
  }

  /** What the cluster does where it is split, as far as this node knows. */
  public Optional<SplitBrain> splitBrain() {
    return group().map(Group::splitBrain);
  }

  /**
   * Has the group agree on what to do where it is split, wherever its leader is.
   *
   * @param credential what the client showed who asks for it, for the node that leads
   * @return fails with {@link UnavailableException} where the group does not answer
   * @throws IllegalArgumentException where two sides of such a cluster could both go on
   */
  public CompletableFuture<SplitBrain> settle(SplitBrain wanted, Optional<String> credential) {
    int nodes =
        role instanceof Role.Clustered clustered
            ? clustered.cluster().view(Optional.empty()).since().size()
            : 1;
    wanted
        .weakness(nodes)
        .ifPresent(why -> {
          throw new IllegalArgumentException(why);
        });
    return atTheLeader(
        voting -> voting.settle(wanted),
        (host, url) ->
            host.post(url, "split-brain", wanted.toBytes(), credential)
                .thenApply(SplitBrain::fromBytes));
  }

  /** Where a write is accepted now. */
  public Place place(WriteRequest request) {
    return place(policy(request.key()), request.fence().isPresent());
  }

  /** Where a write is accepted now: one under a lock, by a node that knows who holds it. */
  public Place place(Policy policy, boolean fenced) {
    return Placement.of(role, policy, fenced);
  }

  /** Why this node alone may not accept a write. */
  private Optional<String> whyNot(Policy policy) {
    String type =
        "records of type " + policy.type() + " are " + policy.consistency().label() + ": ";
    return switch (place(policy)) {
      case Place.Here() -> Optional.empty();
      case Place.Together() -> Optional.of(type + "they are written by the group");
      case Place.There(String who, _) -> Optional.of(type + "the node " + who + " accepts them");
      case Place.Nowhere(String why) -> Optional.of(type + why);
    };
  }

  /** Why a write under a lock does not hold. */
  private Optional<String> whyNot(Locks.Fence fence) {
    Optional<Group> voting = group();
    if (voting.filter(group -> group.isHeld(fence)).isPresent()) {
      return Optional.empty();
    }
    return Optional.of(
        voting.isEmpty()
            ? "this node knows of no locks: ask a node that votes"
            : "the lock "
                + fence.name().lock()
                + " is not held under the token "
                + fence.token()
                + " any more; acquire it and look at the record again");
  }

  private Policy policy(RecordKey key) {
    return node.policy(key.tenant(), key.type());
  }

  /**
   * Writes as the type demands. What cannot be accepted here is refused, with its payload in the
   * audit log.
   *
   * @return fails with {@link UnavailableException} where the outcome cannot be known yet
   */
  public CompletableFuture<Outcome> write(WriteRequest request) {
    Policy policy = policy(request.key());
    Optional<Group> voting = group();
    if (voting.isPresent() && place(policy) instanceof Place.Together) {
      return together(voting.get(), node.writing(request), () -> node.write(request));
    }
    return fenced(List.of(request))
        .thenCompose(_ -> node.write(request))
        .thenCompose(outcome -> copied(policy, outcome));
  }

  /** By the group; where it has just ceased to lead, this node says why it cannot. */
  private static <T> CompletableFuture<T> together(
      Group voting, Command<T> command, Supplier<CompletableFuture<T>> alone) {
    return voting
        .submit(command)
        .exceptionallyCompose(problem ->
            problem instanceof NotLeadingException
                ? alone.get()
                : CompletableFuture.failedFuture(problem));
  }

  /** Hears first of all locks given out, where writes are made under one. */
  private CompletableFuture<Void> fenced(List<WriteRequest> requests) {
    return barrier(requests.stream().anyMatch(request -> request.fence().isPresent()));
  }

  private CompletableFuture<Void> barrier(boolean fenced) {
    Optional<Group> voting = group();
    return voting.isEmpty() || !fenced
        ? CompletableFuture.completedFuture(null)
        : voting.get().barrier();
  }

  /**
   * Where writes that hold together are accepted now.
   *
   * @throws IllegalArgumentException where that is not one place
   */
  public Place place(List<WriteRequest> requests) {
    // One look for each type, however many writes there are.
    Map<String, Place> places = new HashMap<>();
    for (WriteRequest request : requests) {
      RecordKey key = request.key();
      String kind = key.tenant() + '/' + key.type() + '/' + request.fence().isPresent();
      places.computeIfAbsent(kind, _ -> place(request));
    }
    Set<Place> distinct = new HashSet<>(places.values());
    if (distinct.size() != 1) {
      throw new IllegalArgumentException(
          "records that are written together are accepted in one place; these have types of"
              + " different consistency, or of primaries on different nodes");
    }
    return distinct.iterator().next();
  }

  /**
   * Writes all of them or none, under the same lock if under any. They are accepted in one place.
   *
   * @return an outcome for each; where one is rejected it is the last, and nothing is written
   * @throws IllegalArgumentException where the records are not accepted in one place
   */
  public CompletableFuture<List<Outcome>> writeTogether(List<WriteRequest> requests) {
    Optional<Group> voting = group();
    if (place(requests) instanceof Place.Together && voting.isPresent()) {
      return together(
          voting.get(), node.writingTogether(requests), () -> node.writeTogether(requests));
    }
    return fenced(requests)
        .thenCompose(_ -> node.writeTogether(requests))
        .thenCompose(outcomes -> copied(requests, outcomes));
  }

  private CompletableFuture<List<Outcome>> copied(
      List<WriteRequest> requests, List<Outcome> outcomes) {
    if (outcomes.isEmpty() || outcomes.getLast() instanceof Outcome.Rejected) {
      return CompletableFuture.completedFuture(outcomes);
    }
    CompletableFuture<List<Outcome>> all = CompletableFuture.completedFuture(outcomes);
    for (int i = 0; i < outcomes.size(); i++) {
      CompletableFuture<Outcome> one = copied(policy(requests.get(i).key()), outcomes.get(i));
      all = all.thenCombine(one, (list, _) -> list);
    }
    return all;
  }

  /** Writes each by itself, in order. */
  public CompletableFuture<List<Outcome>> writeAll(List<WriteRequest> requests) {
    if (requests.stream().allMatch(r -> r.fence().isEmpty() && isAtOnce(policy(r.key())))) {
      return node.writeAll(requests);
    }
    List<CompletableFuture<Outcome>> each = requests.stream().map(this::write).toList();
    return CompletableFuture.allOf(each.toArray(CompletableFuture[]::new))
        .thenApply(_ -> each.stream().map(CompletableFuture::join).toList());
  }

  private boolean isAtOnce(Policy policy) {
    return switch (policy.consistency()) {
      case EVENTUAL, SESSION, CAUSAL, PRIMARY -> true;
      case QUORUM, STRONG -> role instanceof Role.Alone;
    };
  }

  /** Completes once as many nodes have it as a quorum takes. */
  private CompletableFuture<Outcome> copied(Policy policy, Outcome outcome) {
    if (!(role instanceof Role.Clustered clustered) || policy.consistency() != Consistency.QUORUM) {
      return CompletableFuture.completedFuture(outcome);
    }
    VersionVector context =
        switch (outcome) {
          case Outcome.Accepted accepted -> accepted.after().state().context();
          case Outcome.Duplicate duplicate -> duplicate.now().state().context();
          case Outcome.Rejected _ -> VersionVector.EMPTY;
        };
    Cluster cluster = clustered.cluster();
    int copies = policy.replicas().writtenOf(clustered.nodes());
    return clustered
        .host()
        .orAfter(cluster.copies().await(context, copies), PATIENCE_MILLIS, false)
        .thenApply(enough -> {
          if (!enough) {
            throw new UnavailableException(
                "the write is kept here and will spread, but fewer than "
                    + copies
                    + " nodes have it so far; send it again with the same Idempotency-Key to learn"
                    + " whether they do");
          }
          return outcome;
        });
  }

  /** Decides a review as the type of its record demands; see {@link Node#decide}. */
  public CompletableFuture<Decision.Result> decide(
      String tenant,
      String id,
      Decision decision,
      String actor,
      String reason,
      Optional<Locks.Fence> fence) {
    return settled(
        tenant,
        id,
        fence,
        () -> node.deciding(tenant, id, decision, actor, reason, fence),
        () -> node.decide(tenant, id, decision, actor, reason, fence));
  }

  /** Takes up an ignored review again; see {@link Node#takeUp}. */
  public CompletableFuture<Decision.Result> takeUp(
      String tenant, String id, String actor, String reason, Optional<Locks.Fence> fence) {
    return barrier(fence.isPresent())
        .thenCompose(_ -> node.takeUp(tenant, id, actor, reason, fence));
  }

  /** What {@link #decide} would answer now; changes nothing. */
  public CompletableFuture<Decision.Result> tryDecision(
      String tenant, String id, Decision decision, String actor) {
    return node.tryDecision(tenant, id, decision, actor, isTogether(tenant, id));
  }

  /** Votes as the type of the record demands; see {@link Node#vote}. */
  public CompletableFuture<Decision.Result> vote(
      String tenant,
      String id,
      Decision choice,
      String voter,
      String signature,
      Optional<Locks.Fence> fence) {
    return settled(
        tenant,
        id,
        fence,
        () -> node.voting(tenant, id, choice, voter, signature, fence),
        () -> node.vote(tenant, id, choice, voter, signature, fence));
  }

  private boolean isTogether(String tenant, String id) {
    return node.review(tenant, id)
        .map(review -> place(policy(review.key())) instanceof Place.Together)
        .orElse(false);
  }

  private CompletableFuture<Decision.Result> settled(
      String tenant,
      String id,
      Optional<Locks.Fence> fence,
      Supplier<Command<Decision.Result>> together,
      Supplier<CompletableFuture<Decision.Result>> alone) {
    Optional<Group> voting = group();
    boolean isTogether = isTogether(tenant, id);
    return voting.isPresent() && isTogether
        ? voting.get().submit(together.get())
        : barrier(fence.isPresent()).thenCompose(_ -> alone.get());
  }

  /**
   * Waits until a read of a record here keeps what its type promises.
   *
   * @return false where that cannot be had now: what is read may be stale
   */
  public CompletableFuture<Boolean> awaitFresh(RecordKey key) {
    return reads.pass(role, policy(key), key);
  }

  /**
   * Asks the group for a lock, wherever its leader is.
   *
   * @param credential what the client showed who asks for it, for the node that leads
   * @return fails with {@link UnavailableException} where the group does not answer; what was asked
   *     may have happened
   */
  public CompletableFuture<Locks.Answer> lock(Locks.Command command, Optional<String> credential) {
    return stepsDown()
        .map(why -> CompletableFuture.<Locks.Answer>failedFuture(new UnavailableException(why)))
        .orElseGet(() -> ask(command, credential));
  }

  private CompletableFuture<Locks.Answer> ask(Locks.Command command, Optional<String> credential) {
    return atTheLeader(
        voting -> voting.lock(command),
        (host, url) ->
            host.post(url, "lock", LockCodec.toBytes(command), credential)
                .thenApply(LockCodec::answer));
  }

  /** Has the node that leads do something: this one, or another; see {@link LeaderClient}. */
  <T> CompletableFuture<T> atTheLeader(
      LeaderClient.Local<T> here, LeaderClient.Remote<T> elsewhere) {
    return LeaderClient.ask(role, here, elsewhere);
  }

  /** Waits until an owner holds a lock, as far as this node hears, or the time is over. */
  public Optional<Locks.Grant> awaitLock(Locks.Name name, String owner, long timeoutMillis)
      throws InterruptedException {
    Optional<Group> voting = group();
    return voting.isEmpty() ? Optional.empty() : voting.get().awaitLock(name, owner, timeoutMillis);
  }

  /** The locks of a tenant, as far as this node has heard. */
  public List<Locks.Lock> locks(String tenant) {
    return group().map(voting -> voting.locks(tenant)).orElse(List.of());
  }

  /** When a lock ends unless it is renewed, by this node's clock. */
  public long endsAtMillis(Locks.Grant grant) {
    return group()
        .map(voting -> node.nowMillis() + voting.restMillis(grant))
        .orElse(grant.untilMillis());
  }

  /** Goes on with what is due. Called a few times a second; waits for nothing. */
  public void tick() {
    Role now = role;
    if (now.voting().isEmpty()) {
      return;
    }
    Group voting = now.voting().get();
    voting.tick();
    if (now instanceof Role.Voter voter) {
      voter.leases().tick();
      if (node.isDue() && voting.standing().leading()) {
        var _ = voting.submit(node.proceeding(p -> p.consistency() == Consistency.STRONG));
      }
    }
  }
}
