// SPDX-License-Identifier: Apache-2.0
package dev.entente.cluster;

import dev.entente.cluster.group.Consensus.Standing;
import dev.entente.cluster.group.Group;
import dev.entente.cluster.group.NotLeadingException;
import dev.entente.cluster.group.SplitBrain;
import dev.entente.core.causality.NodeId;
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
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

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
  private volatile @Nullable Cluster cluster;
  private volatile @Nullable Transport transport;
  private volatile @Nullable Group group;
  private volatile @Nullable Primaries primaries;
  private volatile List<String> voters = List.of();
  private volatile long joinedAtMillis;

  /** The authority of a node on its own. */
  public Authority(Node node) {
    this.node = node;
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
  public void join(Cluster joined, Transport way, List<String> named) {
    transport = way;
    voters = List.copyOf(named);
    joinedAtMillis = joined.nowMillis();
    cluster = joined;
  }

  /** From here on this node votes. */
  public void join(Group voting) {
    Cluster joined = cluster;
    if (joined != null) {
      primaries = new Primaries(joined, voting, this::ask);
      joined.tells(() -> Optional.of(stepsDown(joined).orElse("")));
    }
    group = voting;
  }

  /** From here on this node does not vote. */
  void leave() {
    group = null;
    primaries = null;
    Cluster joined = cluster;
    if (joined != null) {
      joined.tells(Optional::empty);
    }
  }

  /** The group that this node votes in. */
  public Optional<Group> group() {
    return Optional.ofNullable(group);
  }

  /** Where records under a policy are accepted now. */
  public Place place(Policy policy) {
    Cluster joined = cluster;
    if (joined == null || isAlone(joined)) {
      return new Place.Here();
    }
    return switch (policy.consistency()) {
      case EVENTUAL, SESSION, CAUSAL -> new Place.Here();
      case QUORUM -> unlessDown(joined, () -> quorum(joined, policy));
      case PRIMARY -> unlessDown(joined, () -> primary(joined, policy));
      case STRONG -> unlessDown(joined, () -> strong(joined));
    };
  }

  private Place unlessDown(Cluster joined, Supplier<Place> otherwise) {
    return stepsDown(joined).<Place>map(Place.Nowhere::new).orElseGet(otherwise);
  }

  /** Why this node's side of a split has stepped down; empty where it goes on. */
  public Optional<String> stepsDown() {
    Cluster joined = cluster;
    return joined == null || isAlone(joined) ? Optional.empty() : stepsDown(joined);
  }

  private Optional<String> stepsDown(Cluster joined) {
    Group voting = group;
    if (voting != null) {
      return voting.splitBrain().whyDown(joined.view(voting.standing().leader()));
    }
    // Who does not vote goes by those who do.
    List<String> told = joined.standings();
    if (voters.isEmpty() || told.contains("")) {
      return Optional.empty();
    }
    return told.stream()
        .findFirst()
        .or(() -> Optional.of("none of the voters " + names() + " can be reached"));
  }

  private String names() {
    return String.join(", ", voters);
  }

  /**
   * Where a policy is put in force: by the group, where its type must agree now or then. Where the
   * nodes have only just started, it waits until they have found each other.
   */
  public Place placeOf(String tenant, Policy drafted) throws InterruptedException {
    Cluster joined = cluster;
    if (joined == null
        || voters.isEmpty()
        || !(drafted.consistency().mustAgree()
            || node.policy(tenant, drafted.type()).consistency().mustAgree())) {
      return new Place.Here();
    }
    Place place = unlessDown(joined, () -> strong(joined));
    while (place instanceof Place.Nowhere && joined.nowMillis() < joinedAtMillis + START_MILLIS) {
      Thread.sleep(100);
      place = unlessDown(joined, () -> strong(joined));
    }
    return place;
  }

  /**
   * Puts a policy in force, as {@link Node#putPolicy} does or by the group; see {@link #placeOf}.
   *
   * @throws UnavailableException where no group is to be had
   */
  public CompletableFuture<List<PolicyProblem>> putPolicy(
      String tenant, PolicyLoader.Loaded loaded, String text, String actor)
      throws PolicyException, InterruptedException {
    Group voting = group;
    return switch (placeOf(tenant, loaded.policy())) {
      case Place.Here() -> node.putPolicy(tenant, text, actor);
      case Place.Nowhere(String why) ->
          throw new UnavailableException("the type must agree, its policy too: " + why);
      case Place.Together() when voting != null ->
          node.stampPolicy(tenant, text)
              .thenCompose(stamped -> voting.enact(stamped, actor))
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
   * @throws UnavailableException where the group does not answer
   * @throws IllegalArgumentException where two sides of such a cluster could both go on
   */
  public SplitBrain settle(SplitBrain wanted) throws InterruptedException {
    Cluster joined = cluster;
    wanted
        .weakness(joined == null ? 1 : joined.view(Optional.empty()).since().size())
        .ifPresent(why -> {
          throw new IllegalArgumentException(why);
        });
    return atTheLeader(
        voting -> voting.settle(wanted).join(),
        (url, way) ->
            SplitBrain.fromBytes(way.post(url, node.id(), "split-brain", wanted.toBytes())));
  }

  /** Where a write is accepted now. */
  public Place place(WriteRequest request) {
    return place(policy(request.key()), request.fence().isPresent());
  }

  /** Where a write is accepted now: one under a lock, by a node that knows who holds it. */
  public Place place(Policy policy, boolean fenced) {
    Place place = place(policy);
    Cluster joined = cluster;
    return fenced && joined != null && group == null && place instanceof Place.Here
        ? voter(joined)
        : place;
  }

  /** Whether there is nobody to agree with. */
  private boolean isAlone(Cluster joined) {
    return joined.links().isEmpty() && voters.isEmpty();
  }

  /** Another node of a name, if it can be reached. */
  private Optional<Place> there(Cluster joined, Optional<String> name) {
    return name.filter(who -> !who.equals(node.id().name()))
        .flatMap(who -> joined.urlOf(who).map(url -> new Place.There(who, url)));
  }

  private Place quorum(Cluster joined, Policy policy) {
    int nodes = joined.present().size();
    int up = 1 + (int) joined.status().stream().filter(LinkStatus::isUp).count();
    if (policy.replicas().copies() > 0 && !policy.replicas().meet(nodes)) {
      return new Place.Nowhere(
          "the policy counts on "
              + policy.replicas().copies()
              + " nodes, the cluster has "
              + nodes
              + ": r + w must be larger than that");
    }
    int wanted = policy.replicas().writtenOf(nodes);
    return up >= wanted
        ? new Place.Here()
        : new Place.Nowhere(
            "this node reaches "
                + up
                + " of "
                + nodes
                + " nodes, itself included; the type needs "
                + wanted
                + " copies of a write");
  }

  private Place primary(Cluster joined, Policy policy) {
    Primaries known = primaries;
    if (known == null) {
      return voter(joined);
    }
    if (known.isHere(policy)) {
      return new Place.Here();
    }
    return there(joined, known.holder(policy).map(Locks.Grant::owner))
        .orElseGet(() ->
            new Place.Nowhere(
                "no primary can be reached; one is chosen within seconds where a majority of the"
                    + " voters is"));
  }

  private Place strong(Cluster joined) {
    Group voting = group;
    if (voting == null) {
      return voter(joined);
    }
    Standing standing = voting.standing();
    if (standing.leading()) {
      return new Place.Together();
    }
    return there(joined, standing.leader())
        .orElseGet(() -> new Place.Nowhere(NotLeadingException.NOBODY));
  }

  /** A voter knows more. */
  private Place voter(Cluster joined) {
    return anyVoter(joined).orElseGet(() -> nobody());
  }

  /** One that says that it votes; before anybody has said so, one that was named. */
  private Optional<Place> anyVoter(Cluster joined) {
    return Stream.concat(joined.voting().stream().map(NodeId::name), voters.stream())
        .flatMap(who -> there(joined, Optional.of(who)).stream())
        .findFirst();
  }

  private Place nobody() {
    return new Place.Nowhere(
        voters.isEmpty()
            ? "nodes that are several agree on such records through voters, and none are named:"
                + " start the nodes with --voters, or declare the type causal"
            : "none of the voters " + names() + " can be reached");
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
    Group voting = group;
    if (voting != null && voting.isHeld(fence)) {
      return Optional.empty();
    }
    return Optional.of(
        voting == null
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
    Group voting = group;
    if (voting != null && place(policy) instanceof Place.Together) {
      return together(voting, node.writing(request), () -> node.write(request));
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
    Group voting = group;
    return voting == null || requests.stream().allMatch(request -> request.fence().isEmpty())
        ? CompletableFuture.completedFuture(null)
        : voting.barrier();
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
    Group voting = group;
    if (place(requests) instanceof Place.Together && voting != null) {
      return together(voting, node.writingTogether(requests), () -> node.writeTogether(requests));
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
      case QUORUM, STRONG -> cluster == null;
    };
  }

  /** Completes once as many nodes have it as a quorum takes. */
  private CompletableFuture<Outcome> copied(Policy policy, Outcome outcome) {
    Cluster joined = cluster;
    if (joined == null || policy.consistency() != Consistency.QUORUM) {
      return CompletableFuture.completedFuture(outcome);
    }
    VersionVector context =
        switch (outcome) {
          case Outcome.Accepted accepted -> accepted.after().state().context();
          case Outcome.Duplicate duplicate -> duplicate.now().state().context();
          case Outcome.Rejected _ -> VersionVector.EMPTY;
        };
    int copies = policy.replicas().writtenOf(joined.present().size());
    return joined
        .copies()
        .await(context, copies, PATIENCE_MILLIS)
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
      String tenant, String id, Decision decision, String actor, String reason) {
    return settled(
        tenant,
        id,
        () -> node.deciding(tenant, id, decision, actor, reason),
        () -> node.decide(tenant, id, decision, actor, reason));
  }

  /** Votes as the type of the record demands; see {@link Node#vote}. */
  public CompletableFuture<Decision.Result> vote(
      String tenant, String id, Decision choice, String voter, String signature) {
    return settled(
        tenant,
        id,
        () -> node.voting(tenant, id, choice, voter, signature),
        () -> node.vote(tenant, id, choice, voter, signature));
  }

  private CompletableFuture<Decision.Result> settled(
      String tenant,
      String id,
      Supplier<Command<Decision.Result>> together,
      Supplier<CompletableFuture<Decision.Result>> alone) {
    Group voting = group;
    boolean isTogether =
        node.review(tenant, id)
            .map(review -> place(policy(review.key())) instanceof Place.Together)
            .orElse(false);
    return voting != null && isTogether ? voting.submit(together.get()) : alone.get();
  }

  /**
   * Waits until a read of a record here keeps what its type promises.
   *
   * @return false where that cannot be had now: what is read may be stale
   */
  public boolean isFresh(RecordKey key) throws InterruptedException {
    Policy policy = policy(key);
    Cluster joined = cluster;
    if (joined == null || isAlone(joined)) {
      return true;
    }
    return switch (policy.consistency()) {
      case EVENTUAL, SESSION, CAUSAL -> true;
      case PRIMARY -> place(policy) instanceof Place.Here;
      case QUORUM -> isRead(joined, policy, key);
      case STRONG -> isAgreed(joined);
    };
  }

  private boolean isAgreed(Cluster joined) {
    Group voting = group;
    if (voting == null || stepsDown(joined).isPresent()) {
      return false;
    }
    try {
      voting.barrier().join();
      // What was agreed on may build on a version of another node that has not come yet.
      return node.known().get(Group.ID) >= voting.position();
    } catch (CompletionException | UnavailableException e) {
      return false;
    }
  }

  /**
   * Gets what enough others have, and makes sure that enough have what is read, so that no later
   * read sees less (Attiya, Bar-Noy and Dolev, <i>Sharing memory robustly in message-passing
   * systems</i>, 1995).
   */
  private boolean isRead(Cluster joined, Policy policy, RecordKey key) throws InterruptedException {
    int nodes = joined.present().size();
    Transport way = transport;
    if (way == null || stepsDown(joined).isPresent()) {
      return false;
    }
    List<String> urls =
        joined.status().stream().filter(LinkStatus::isUp).map(LinkStatus::url).toList();
    int others = policy.replicas().readOf(nodes) - 1;
    if (urls.size() < others) {
      return false;
    }
    VersionVector seen = VersionVector.EMPTY;
    List<CompletableFuture<VersionVector>> asked = new ArrayList<>();
    for (String url : urls.subList(0, others)) {
      asked.add(known(way, url));
    }
    try {
      for (CompletableFuture<VersionVector> each : asked) {
        seen = seen.join(each.join());
      }
    } catch (CompletionException e) {
      return false;
    }
    return node.awaitKnown(seen, PATIENCE_MILLIS)
        && joined
            .copies()
            .await(
                node.read(key).state().context(),
                policy.replicas().writtenOf(nodes),
                PATIENCE_MILLIS)
            .join();
  }

  private CompletableFuture<VersionVector> known(Transport way, String url) {
    CompletableFuture<VersionVector> answer = new CompletableFuture<>();
    Thread.ofVirtual()
        .start(() -> {
          try {
            answer.complete(Wire.vector(way.get(url, node.id(), "known")));
          } catch (IOException | RuntimeException e) {
            answer.completeExceptionally(e);
          } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            answer.completeExceptionally(e);
          }
        });
    return answer;
  }

  /**
   * Asks the group for a lock, wherever its leader is.
   *
   * @throws UnavailableException where the group does not answer; what was asked may have happened
   */
  public Locks.Answer lock(Locks.Command command) throws InterruptedException {
    Optional<String> down = stepsDown();
    if (down.isPresent()) {
      throw new UnavailableException(down.get());
    }
    return ask(command);
  }

  private Locks.Answer ask(Locks.Command command) throws InterruptedException {
    return atTheLeader(
        voting -> voting.lock(command).join(),
        (url, way) ->
            LockCodec.answer(way.post(url, node.id(), "lock", LockCodec.toBytes(command))));
  }

  /** Asks another node. */
  interface Elsewhere<T> {
    T ask(String url, Transport way) throws IOException, InterruptedException;
  }

  /**
   * Has the node that leads do something: this one, or another. One hop to a voter, and one to the
   * node that this says leads.
   */
  <T> T atTheLeader(Function<Group, T> here, Elsewhere<T> elsewhere) throws InterruptedException {
    Group voting = group;
    Cluster joined = cluster;
    Optional<String> leader;
    try {
      if (voting != null) {
        return here.apply(voting);
      }
      leader =
          joined != null && anyVoter(joined).orElse(null) instanceof Place.There(String who, _)
              ? Optional.of(who)
              : Optional.empty();
    } catch (CompletionException e) {
      if (!(e.getCause() instanceof UnavailableException problem)) {
        throw e;
      }
      if (!(problem instanceof NotLeadingException not) || not.leader().isEmpty()) {
        throw problem;
      }
      leader = not.leader();
    }
    try {
      return ask(leader, joined, elsewhere);
    } catch (NotLeadingException e) {
      // A voter was asked; it may know better.
      return ask(e.leader(), joined, elsewhere);
    }
  }

  private <T> T ask(Optional<String> who, @Nullable Cluster joined, Elsewhere<T> elsewhere)
      throws InterruptedException {
    Transport way = transport;
    Optional<String> url = joined == null ? Optional.empty() : who.flatMap(joined::urlOf);
    if (way == null || url.isEmpty()) {
      throw new NotLeadingException(Optional.empty());
    }
    try {
      return elsewhere.ask(url.get(), way);
    } catch (IOException e) {
      throw new UnavailableException(
          "the node that leads does not answer; what was asked for may have happened: ask again",
          e);
    }
  }

  /** Waits until an owner holds a lock, as far as this node hears, or the time is over. */
  public Optional<Locks.Grant> awaitLock(Locks.Name name, String owner, long timeoutMillis)
      throws InterruptedException {
    Group voting = group;
    return voting == null ? Optional.empty() : voting.awaitLock(name, owner, timeoutMillis);
  }

  /** The locks of a tenant, as far as this node has heard. */
  public List<Locks.Lock> locks(String tenant) {
    Group voting = group;
    return voting == null ? List.of() : voting.locks(tenant);
  }

  /** Goes on with what is due. Called a few times a second, on a thread that may wait. */
  public void tick() throws InterruptedException {
    Group voting = group;
    if (voting == null) {
      return;
    }
    voting.tick();
    if (cluster == null) {
      return;
    }
    Primaries known = primaries;
    if (known != null) {
      known.tick();
    }
    if (node.isDue() && voting.standing().leading()) {
      var _ = voting.submit(node.proceeding(p -> p.consistency() == Consistency.STRONG));
    }
  }
}
