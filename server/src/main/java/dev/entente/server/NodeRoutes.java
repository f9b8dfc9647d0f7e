// SPDX-License-Identifier: Apache-2.0
package dev.entente.server;

import dev.entente.cluster.Authority;
import dev.entente.cluster.Ballots;
import dev.entente.cluster.Cluster;
import dev.entente.cluster.HttpTransport;
import dev.entente.cluster.NodeMessage;
import dev.entente.cluster.NodeTls;
import dev.entente.cluster.PullRequest;
import dev.entente.cluster.Seats;
import dev.entente.cluster.UnavailableException;
import dev.entente.cluster.VersionSource;
import dev.entente.cluster.Wire;
import dev.entente.cluster.group.Group;
import dev.entente.cluster.group.NotLeadingException;
import dev.entente.cluster.group.SplitBrain;
import dev.entente.core.causality.NodeId;
import dev.entente.core.codec.ByteReader.DamagedException;
import dev.entente.engine.Locks;
import dev.entente.engine.Node;
import dev.entente.engine.VersionIndex;
import dev.entente.engine.codec.LockCodec;
import dev.entente.server.Problem.Code;
import dev.entente.server.access.Grant;
import dev.entente.server.access.Permission;
import dev.entente.server.access.Scope;
import java.io.IOException;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.Semaphore;
import java.util.function.BiFunction;
import java.util.function.Function;
import java.util.function.Supplier;

/** What nodes ask each other. */
final class NodeRoutes {
  private static final long SUMS_NUMBERS_MAX = 1_024L * VersionIndex.STRETCH;
  private static final long HASHES_NUMBERS_MAX = 4L * VersionIndex.STRETCH;
  private static final long WAIT_MILLIS_MAX = 30_000;

  /** How many new nodes copy what this one has at a time. */
  private static final int COPIES_MAX = 2;

  /** How many other nodes are answered at a time. */
  private static final int ANSWERS_MAX = 64;

  private final Node node;
  private final Authority authority;
  private final Auth auth;
  private final Supplier<Cluster> cluster;
  private final Supplier<Seats> seats;
  private final Supplier<Ballots> ballots;
  private final Semaphore answers = new Semaphore(ANSWERS_MAX);
  private final Semaphore copies = new Semaphore(COPIES_MAX);

  /** Of a node; what it takes part in is asked for when it is needed. */
  NodeRoutes(
      Node node,
      Authority authority,
      Auth auth,
      Supplier<Cluster> cluster,
      Supplier<Seats> seats,
      Supplier<Ballots> ballots) {
    this.node = node;
    this.authority = authority;
    this.auth = auth;
    this.cluster = cluster;
    this.seats = seats;
    this.ballots = ballots;
  }

  void addTo(Route.Table routes) {
    for (NodeMessage message : NodeMessage.values()) {
      routes.forNodes(message.method(), message.path(), handler(message));
    }
  }

  private Function<Call, Reply> handler(NodeMessage message) {
    return switch (message) {
      case PULL -> this::pull;
      case READ -> this::read;
      case DIGEST -> this::digest;
      case BUCKET -> this::bucket;
      case VERSIONS -> this::versions;
      case KNOWN -> this::known;
      case SUMS -> this::sums;
      case HASHES -> this::hashes;
      case NUMBERS -> this::numbers;
      case COPY -> this::copy;
      case POLLS -> this::polls;
      case LOCK -> this::lock;
      case SPLIT_BRAIN -> this::settleFor;
      case SEAT -> this::seat;
      case VOTERS -> this::changeFor;
    };
  }

  private Reply pull(Call call) {
    long receivedAt = node.nowMillis();
    PullRequest request;
    try {
      request = Wire.request(call.body());
    } catch (DamagedException e) {
      throw new Problem(Code.MALFORMED, String.valueOf(e.getMessage()));
    }
    if (!call.peer().name().isEmpty()
        && !NodeTls.isNamed(request.from().value(), call.peer().name())) {
      throw new Problem(
          Code.FORBIDDEN,
          "the certificate is that of " + call.peer().name() + ", not of " + request.from());
    }
    ClusterRoutes.requireMember(cluster.get(), request.from());
    if (!answers.tryAcquire()) {
      throw new Problem(Code.TOO_FAST, "more than " + ANSWERS_MAX + " nodes ask at a time");
    }
    try {
      notCut(request.from());
      cluster.get().asked(request);
      waitForMore(request);
      notCut(request.from());
      ClusterRoutes.requireMember(cluster.get(), request.from());
      return Reply.bytes(
          200, Wire.MEDIA_TYPE, Wire.toBytes(cluster.get().answer(request, receivedAt)));
    } finally {
      answers.release();
    }
  }

  private void notCut(NodeId peer) {
    if (cluster.get().isCut(peer)) {
      throw new Problem(Code.UNAVAILABLE, "an operator has cut this link");
    }
  }

  private void notCut(Call call) {
    notCut(asker(call));
  }

  /** The node that asks. */
  private static NodeId asker(Call call) {
    return ClusterRoutes.nodeId(call.header(HttpTransport.NODE).orElse(""));
  }

  private void waitForMore(PullRequest request) {
    if (request.to().equals(Optional.of(node.id()))) {
      try {
        node.awaitBehind(request.after(), Math.min(WAIT_MILLIS_MAX, request.waitMillis()));
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new Problem(Code.UNAVAILABLE, "the node is stopping");
      }
    }
  }

  private Reply read(Call call) {
    notCut(call);
    return Reply.json(200, ClusterRoutes.data(node, call.key()));
  }

  private Reply digest(Call call) {
    notCut(call);
    return Reply.bytes(200, Wire.MEDIA_TYPE, Wire.toBytes(node.digest()));
  }

  private Reply known(Call call) {
    notCut(call);
    return Reply.bytes(200, Wire.MEDIA_TYPE, Wire.toBytes(node.known()));
  }

  /** Sums over the versions of a node, for another to compare. */
  private Reply sums(Call call) {
    return stretch(
        call,
        SUMS_NUMBERS_MAX,
        (author, after, upTo) -> Wire.sumsToBytes(node.versionIndex().sums(author, after, upTo)));
  }

  /** The hashes of versions of a node, one by one. */
  private Reply hashes(Call call) {
    return stretch(
        call,
        HASHES_NUMBERS_MAX,
        (author, after, upTo) -> Wire.toBytes(node.versionIndex().entries(author, after, upTo)));
  }

  /** Versions of a node, by their numbers; as many as fit. */
  private Reply numbers(Call call) {
    return stretch(
        call,
        HASHES_NUMBERS_MAX,
        (author, after, upTo) ->
            Wire.versionsToBytes(
                node.versionIndex()
                    .versions(author, after, upTo, VersionSource.VERSIONS_BYTES_MAX)));
  }

  /** Answers what concerns a stretch of a node's numbers. */
  @FunctionalInterface
  private interface OfStretch {
    byte[] answer(NodeId author, long after, long upTo);
  }

  private Reply stretch(Call call, long numbersMax, OfStretch of) {
    notCut(call);
    NodeId author = ClusterRoutes.nodeId(call.param("author"));
    long after = number(call, "after");
    long upTo = number(call, "last");
    if (after < 0 || upTo < after || upTo - after > numbersMax) {
      throw new Problem(Code.INVALID, "ask for at most " + numbersMax + " numbers in order");
    }
    try {
      return Reply.bytes(200, Wire.MEDIA_TYPE, of.answer(author, after, upTo));
    } catch (IllegalArgumentException e) {
      throw new Problem(Code.INVALID, String.valueOf(e.getMessage()));
    }
  }

  private static long number(Call call, String name) {
    try {
      return Long.parseLong(call.param(name));
    } catch (NumberFormatException e) {
      throw new Problem(Code.INVALID, name + " is a number");
    }
  }

  /** All that this node has, for a new one to begin with. */
  private Reply copy(Call call) {
    notCut(call);
    return Reply.stream(
        Wire.MEDIA_TYPE,
        out -> {
          if (!copies.tryAcquire()) {
            throw new IOException("more than " + COPIES_MAX + " nodes copy at a time");
          }
          try {
            node.copyTo(out);
          } finally {
            copies.release();
          }
        });
  }

  private Reply bucket(Call call) {
    notCut(call);
    int bucket;
    try {
      bucket = Integer.parseInt(call.param("bucket"));
    } catch (NumberFormatException e) {
      throw new Problem(Code.INVALID, "a bucket is a number");
    }
    return Reply.bytes(
        200, Wire.MEDIA_TYPE, Wire.bucketToBytes(node.digest(bucket, Integer.MAX_VALUE)));
  }

  private Reply versions(Call call) {
    notCut(call);
    return Reply.bytes(200, Wire.MEDIA_TYPE, Wire.versionsToBytes(node.versions(call.key())));
  }

  /** The votes that are held here, as another node asks for them. */
  private Reply polls(Call call) {
    notCut(call);
    return Reply.bytes(200, Wire.MEDIA_TYPE, ballots.get().told());
  }

  /** What another node asks of the group that this one leads. */
  private <Q, A> Reply asked(
      Call call,
      Function<byte[], Q> read,
      BiFunction<Group, Q, CompletableFuture<A>> ask,
      Function<A, byte[]> written) {
    notCut(call);
    Q question;
    try {
      question = read.apply(call.body());
    } catch (DamagedException e) {
      throw new Problem(Code.MALFORMED, String.valueOf(e.getMessage()));
    }
    Group group =
        authority
            .group()
            .orElseThrow(() -> new Problem(Code.UNAVAILABLE, "this node does not vote"));
    CompletableFuture<A> answer;
    try {
      answer = ask.apply(group, question);
    } catch (UnavailableException e) {
      answer = CompletableFuture.failedFuture(e);
    }
    return answered(answer.thenApply(written));
  }

  /** An answer once it is there, or who leads where this node does not. */
  private static Reply answered(CompletableFuture<byte[]> answer) {
    try {
      return Reply.bytes(200, Wire.MEDIA_TYPE, Writes.await(() -> answer));
    } catch (Problem problem) {
      Reply refusal = Reply.problem(problem);
      Throwable why = answer.isCompletedExceptionally() ? answer.exceptionNow() : problem;
      Throwable cause = why instanceof CompletionException wrapped ? wrapped.getCause() : why;
      return cause instanceof NotLeadingException not
          ? refusal.with(HttpTransport.LEADER, not.leader().orElse(""))
          : refusal;
    } catch (CompletionException e) {
      if (e.getCause() instanceof DamagedException refused) {
        throw new Problem(Code.MALFORMED, String.valueOf(refused.getMessage()));
      }
      throw e;
    }
  }

  /** The call of the client for whom a node asks, as far as its token is good here. */
  private Call forClient(Call call) {
    return call.from(auth.client(call), () -> auth.client(call));
  }

  private Reply lock(Call call) {
    return asked(
        call,
        LockCodec::command,
        (group, command) -> {
          requireMay(call, group, command);
          return group.lock(command);
        },
        LockCodec::toBytes);
  }

  /** A node asks for locks of its own for itself, and for those of a tenant for a client. */
  private void requireMay(Call call, Group group, Locks.Command command) {
    switch (command) {
      case Locks.Command.Acquire(Locks.Name name, String owner, long _, long _) ->
          requireOwner(call, name, owner);
      case Locks.Command.Release(Locks.Name name, String owner) -> requireOwner(call, name, owner);
      case Locks.Command.Renew(Locks.Name name, long _) -> {
        if (name.tenant().equals(Locks.CLUSTER)) {
          group.holder(name).ifPresent(holder -> requireOwner(call, name, holder.owner()));
        } else {
          var _ = forClient(call).acting(Permission.WRITE, Scope.of(name.tenant(), Grant.ALL));
        }
      }
      case Locks.Command.Tick() ->
          throw new Problem(Code.INVALID, "only the node that leads ends what is over");
    }
  }

  private void requireOwner(Call call, Locks.Name name, String owner) {
    if (!name.tenant().equals(Locks.CLUSTER)) {
      var _ = forClient(call).acting(Permission.WRITE, Scope.of(name.tenant(), Grant.ALL), owner);
    } else if (!asker(call).name().equals(owner)) {
      throw new Problem(
          Code.FORBIDDEN, asker(call) + " asks for a lock of the cluster in the name of " + owner);
    }
  }

  private Reply settleFor(Call call) {
    return asked(
        call,
        SplitBrain::fromBytes,
        (group, wanted) -> {
          var _ = forClient(call).acting(Permission.ADMINISTER);
          return group.settle(wanted);
        },
        SplitBrain::toBytes);
  }

  /** What another node hears that wants to vote. */
  private Reply seat(Call call) {
    notCut(call);
    try {
      return Reply.bytes(200, Wire.MEDIA_TYPE, seats.get().answer(asker(call), call.body()));
    } catch (DamagedException e) {
      throw new Problem(Code.MALFORMED, String.valueOf(e.getMessage()));
    }
  }

  private Reply changeFor(Call call) {
    return asked(
        call,
        Seats.Change::fromBytes,
        (group, change) -> {
          var _ = forClient(call).acting(Permission.ADMINISTER);
          return CompletableFuture.completedFuture(seats.get().changeFor(group, change));
        },
        Function.identity());
  }
}
