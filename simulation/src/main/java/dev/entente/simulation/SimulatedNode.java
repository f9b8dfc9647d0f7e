// SPDX-License-Identifier: Apache-2.0
package dev.entente.simulation;

import dev.entente.cluster.Authority;
import dev.entente.cluster.Cluster;
import dev.entente.cluster.ClusterConfig;
import dev.entente.cluster.Link;
import dev.entente.cluster.PullReply;
import dev.entente.cluster.PullRequest;
import dev.entente.cluster.Wire;
import dev.entente.cluster.group.Group;
import dev.entente.core.policy.PolicyProblem.PolicyException;
import dev.entente.engine.Bootstrap;
import dev.entente.engine.Node;
import dev.entente.engine.NodeConfig;
import dev.entente.engine.NodeStoppedException;
import dev.entente.engine.PrunedException;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.CompletionException;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * A machine of the cluster: a disk that stays, a clock that may be wrong, and a process that comes
 * and goes. The process is the real node with the real links.
 */
final class SimulatedNode {
  /** How long an answer is waited for. */
  private static final long ANSWER_MILLIS = 300;

  private static final long LOOK_MILLIS = 20;

  /** Short, so that leases end and move within a run. */
  private static final long LEASE_MILLIS = 400;

  private static final long EPOCH_MILLIS = 1_763_802_000_000L;

  /** A process while it runs. */
  static final class Running {
    private final Node node;
    private final Cluster cluster;
    private final Group group;
    private final Authority authority;
    private SimulatedConsensus.@Nullable Member member;
    private boolean lacksWhatIsGone;

    Running(Node node, Cluster cluster, Authority authority, LongSupplier steadyMillis) {
      this.node = node;
      this.cluster = cluster;
      this.authority = authority;
      this.group = new Group(node, steadyMillis);
    }

    /** Who may accept what here. */
    Authority authority() {
      return authority;
    }

    /** What it votes with; null while it does not. */
    SimulatedConsensus.@Nullable Member member() {
      return member;
    }

    Group group() {
      return group;
    }

    /** Whether another has told it that it must begin anew. */
    boolean lacksWhatIsGone() {
      return lacksWhatIsGone;
    }

    Node node() {
      return node;
    }

    Cluster cluster() {
      return cluster;
    }
  }

  /** A question on its way. */
  private static final class Exchange {
    private final Running process;
    private final Link link;
    private final PullRequest request;
    private boolean over;

    Exchange(Running process, Link link, PullRequest request) {
      this.process = process;
      this.link = link;
      this.request = request;
    }
  }

  private final World world;
  private final Random chance;
  private final SimulatedNetwork network;
  private final Map<String, SimulatedNode> machines;
  private final String name;
  private final Sabotage sabotage;
  private final SimulatedDisk disk;
  private final List<String> policies;
  private final BiConsumer<String, Node> watcher;
  private final Set<Link> asking = new HashSet<>();
  private final boolean isClockGuarded;
  private long skewMillis;

  /** Time that has passed for this machine beyond that of the world. */
  private long passedMillis;

  private long pausedUntilMillis;
  private @Nullable Running process;
  private @Nullable SimulatedConsensus consensus;

  SimulatedNode(
      World world,
      SimulatedNetwork network,
      Map<String, SimulatedNode> machines,
      String name,
      Mutant mutant,
      List<String> policies,
      BiConsumer<String, Node> watcher) {
    this.world = world;
    this.chance = world.chance();
    this.network = network;
    this.machines = machines;
    this.name = name;
    this.isClockGuarded = mutant != Mutant.UNGUARDED_CLOCK;
    this.sabotage = new Sabotage(mutant);
    this.disk = new SimulatedDisk(mutant);
    this.policies = policies;
    this.watcher = watcher;
  }

  /** The nodes of the machines that run, by name. */
  static Map<String, Node> running(Map<String, SimulatedNode> machines) {
    Map<String, Node> nodes = new TreeMap<>();
    machines.forEach((name, machine) -> {
      Running process = machine.process();
      if (process != null && !machine.hasDied()) {
        nodes.put(name, process.node());
      }
    });
    return nodes;
  }

  String name() {
    return name;
  }

  /** From here on its processes vote. */
  void vote(SimulatedConsensus by) {
    consensus = by;
  }

  /** Replaces its directory by an earlier one of itself, so many commits ago or more. */
  void goBackTo(int commits) {
    disk.goBackTo(commits);
    SimulatedConsensus by = consensus;
    if (by != null) {
      by.forget(name);
    }
  }

  SimulatedDisk disk() {
    return disk;
  }

  /** The process; null while it is down. */
  @Nullable Running process() {
    return process;
  }

  private long wallMillis() {
    return EPOCH_MILLIS + world.nowMillis() + passedMillis + skewMillis;
  }

  /** Sets the clock ahead or back. */
  void skew(long millis) {
    skewMillis += millis;
  }

  /** Sets the clock off by so much, whatever it was before. */
  void skewTo(long millis) {
    skewMillis = millis;
  }

  /** Sets the clock right again, and lets time pass. */
  void setRight(long millis) {
    skewMillis = 0;
    passedMillis += millis;
  }

  /** Whether it runs and does not stand still. */
  boolean isAwake() {
    return process != null && world.nowMillis() >= pausedUntilMillis;
  }

  /** Stops the world for this machine alone. */
  void pause(long millis) {
    pausedUntilMillis = world.nowMillis() + millis;
  }

  /** Starts a process on the disk as it is. */
  void start(boolean fromBackup) {
    if (Bootstrap.isUnfinished(disk)) {
      disk.goBackTo(0); // As the command throws away what it had begun to copy.
    }
    if (isNew()) {
      // It has nothing to compare a wrong clock with.
      skewMillis = 0;
    }
    NodeConfig config =
        NodeConfig.DEFAULT
            .withName(isNew() ? name + "." + (2 + chance.nextInt(900_000_000)) : name)
            .withClock(this::wallMillis, () -> world.nowMillis() + passedMillis)
            .withIncarnations(() -> 2L + chance.nextInt(900_000_000))
            .onCallersThread();
    if (!isClockGuarded) {
      config = config.withClock(this::wallMillis);
    }
    Node node;
    try {
      if (isNew()) {
        copyInto(disk, config);
      }
      node = fromBackup ? Node.openRestored(disk, config) : Node.open(disk, config);
      for (String policy : policies) {
        if (node.policyTypes("main").size() < policies.size()) {
          node.putPolicy("main", sabotage.policy(name, policy), "simulation").join();
        }
      }
    } catch (SimulatedDisk.Crash | NodeStoppedException e) {
      world.tell(name + " dies while it starts");
      return;
    } catch (CompletionException e) {
      if (!(e.getCause() instanceof NodeStoppedException)) {
        throw e;
      }
      world.tell(name + " dies while it starts");
      return;
    } catch (PolicyException e) {
      throw new IllegalStateException(e);
    }
    List<String> seeds =
        machines.keySet().stream()
            .filter(other -> !other.equals(name))
            .map(n -> "http://" + n)
            .toList();
    Cluster cluster =
        new Cluster(
            node,
            ClusterConfig.of("http://" + name, seeds).polling(60, 2_000),
            sabotage.steadyMillis(name, world::nowMillis));
    Authority authority = new Authority(node, LEASE_MILLIS);
    authority.join(
        cluster,
        new SimulatedHost(world, network, this::machine, name, node, sabotage.mutant()),
        consensus == null ? List.of() : consensus.voters());
    Running started = new Running(node, cluster, authority, world::nowMillis);
    process = started;
    asking.clear();
    world.tell(name + " runs as " + node.id() + " from position " + node.position());
    watcher.accept(name, node);
    look(started);
  }

  /** Begins with what another machine has, where one is to be reached; else with nothing. */
  private void copyInto(SimulatedDisk empty, NodeConfig config) {
    for (SimulatedNode other : machines.values()) {
      Running theirs = other.process;
      if (other != this
          && theirs != null
          && !other.hasDied()
          && theirs.node().position() > 0
          && chance.nextInt(3) > 0) {
        try {
          ByteArrayOutputStream copy = new ByteArrayOutputStream();
          theirs.node().copyTo(copy);
          Bootstrap.read(new ByteArrayInputStream(copy.toByteArray()), empty, config, _ -> {});
          world.tell(name + " begins with a copy of " + theirs.node().id());
          return;
        } catch (IOException e) {
          throw new UncheckedIOException(e);
        }
      }
    }
  }

  /** Whether the machine takes the place of one that was there before. */
  private boolean isNew() {
    return disk.commits() == 0 && world.nowMillis() > 0;
  }

  /** Ends the process at once. */
  void kill() {
    if (process != null) {
      SimulatedConsensus.Member member = process.member();
      if (member != null) {
        member.close();
      }
      process.node().close();
      process = null;
      disk.powerCut();
      world.tell(name + " is killed");
    }
  }

  /** Takes note of a process that ended by itself; true where it has. */
  boolean hasDied() {
    if (process != null && process.node().failure().isPresent()) {
      kill();
    }
    return process == null;
  }

  private void look(Running mine) {
    if (process != mine || hasDied()) {
      return;
    }
    if (world.nowMillis() >= pausedUntilMillis) {
      mine.node().proceed().exceptionally(_ -> 0);
      vote(mine);
      if (hasDied()) {
        world.in(LOOK_MILLIS, () -> look(mine));
        return;
      }
      for (Link link : mine.cluster().links()) {
        if (!asking.contains(link) && link.nextAtMillis() <= world.nowMillis()) {
          ask(mine, link);
        }
      }
    }
    world.in(LOOK_MILLIS, () -> look(mine));
  }

  private void vote(Running mine) {
    SimulatedConsensus by = consensus;
    if (by == null) {
      return;
    }
    SimulatedConsensus.Member member = mine.member;
    if (member == null && !by.mustWait(name, mine.node().known().get(Group.ID))) {
      try {
        member = by.start(name, mine.group(), mine.group()::position);
      } catch (NodeStoppedException e) {
        return;
      }
      mine.member = member;
      mine.group().join(member);
      mine.authority().join(mine.group());
    }
    if (member != null) {
      member.look();
      mine.authority().tick();
      watcher.accept(name, mine.node());
    }
  }

  private SimulatedNode machine(String named) {
    SimulatedNode found = machines.get(named);
    if (found == null) {
      throw new IllegalStateException("no machine " + named);
    }
    return found;
  }

  private void ask(Running mine, Link link) {
    PullRequest request = link.request(mine.cluster().members());
    byte[] bytes = Wire.toBytes(request);
    Exchange exchange = new Exchange(mine, link, request);
    SimulatedNode other = machine(link.url().substring("http://".length()));
    asking.add(link);
    network.send(
        name,
        other.name,
        () ->
            other.answer(
                bytes,
                reply -> network.send(other.name, name, () -> got(exchange, reply)),
                why -> network.send(other.name, name, () -> refused(exchange, why))));
    world.in(ANSWER_MILLIS, () -> missed(exchange));
  }

  private void answer(byte[] question, Consumer<byte[]> reply, Consumer<String> refusal) {
    Running mine = process;
    if (mine == null || hasDied() || world.nowMillis() < pausedUntilMillis) {
      return;
    }
    byte[] answer;
    try {
      answer = Wire.toBytes(mine.cluster().answer(Wire.request(question), mine.node().nowMillis()));
    } catch (PrunedException e) {
      refusal.accept(String.valueOf(e.getMessage()));
      return;
    }
    reply.accept(answer);
  }

  private void refused(Exchange exchange, String why) {
    if (process == exchange.process && !exchange.over) {
      exchange.over = true;
      asking.remove(exchange.link);
      exchange.link.failed(why, world.nowMillis());
      exchange.process.lacksWhatIsGone = true;
      world.tell(name + " is told: " + why);
    }
  }

  private void got(Exchange exchange, byte[] bytes) {
    Running mine = exchange.process;
    if (process != mine || hasDied()) {
      return;
    }
    if (!exchange.over) {
      exchange.over = true;
      asking.remove(exchange.link);
    }
    PullReply reply = sabotage.reply(Wire.reply(bytes));
    mine.cluster().heard(exchange.request, reply);
    exchange
        .link
        .replied(exchange.request, reply, world.nowMillis())
        .filter(intake -> intake.applied() + intake.held() + intake.violated() > 0)
        .ifPresent(
            intake -> world.tell(name + " takes from " + reply.shipment().from() + ": " + intake));
    hasDied();
  }

  private void missed(Exchange exchange) {
    if (!exchange.over && process == exchange.process) {
      exchange.over = true;
      if (sabotage.retries()) {
        asking.remove(exchange.link);
      }
      exchange.link.failed("no answer", world.nowMillis());
    }
  }
}
