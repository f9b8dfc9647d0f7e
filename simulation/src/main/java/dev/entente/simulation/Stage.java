// SPDX-License-Identifier: Apache-2.0
package dev.entente.simulation;

import dev.entente.core.causality.VersionVector;
import dev.entente.core.edit.Edit;
import dev.entente.core.edit.Edit.Operation;
import dev.entente.core.json.Json;
import dev.entente.core.json.JsonObject;
import dev.entente.core.json.Path;
import dev.entente.core.policy.Severity;
import dev.entente.core.record.RecordKey;
import dev.entente.engine.Node;
import dev.entente.engine.NodeStoppedException;
import dev.entente.engine.Outcome;
import dev.entente.engine.Review;
import dev.entente.engine.WriteRequest;
import dev.entente.engine.WriteRequest.Seen;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import org.jspecify.annotations.Nullable;

/**
 * Plays a {@link Story} and keeps its figures, second by second and node by node. Everything is the
 * real code on simulated machines; one seed gives one performance.
 */
public final class Stage {
  private static final long SECOND = 1_000;
  private static final long TICK_MILLIS = 100;
  private static final int VOTERS = 3;
  private static final int CARTS = 40;
  private static final int PROFILES = 25;
  private static final int SEATS = 10;
  private static final long HEAL_SECONDS_MAX = 120;

  private static final List<String> POLICIES =
      List.of(
          """
          type: cart
          default: last-writer-wins
          fields:
            items: {cell: set}
            count: {cell: counter}
          """,
          """
          type: profile
          fields:
            name: last-writer-wins
            address: manual-review
          """,
          """
          type: vm
          fields:
            host: {strategy: manual-review, severity: critical}
          """,
          """
          type: seat
          consistency: strong
          """);

  /** What is counted of a node in a second. */
  public enum Figure {
    ACCEPTED("Writes accepted a second", "by node"),
    REFUSED("Writes refused a second", "what this node cannot promise now"),
    LAG("Versions not here yet", "that some other node has"),
    COMPETING("Records with competing versions", "written on two sides, and by nobody since"),
    WAITING("Conflicts that wait for people", "as this node sees them");

    private final String title;
    private final String note;

    Figure(String title, String note) {
      this.title = title;
      this.note = note;
    }

    public String title() {
      return title;
    }

    public String note() {
      return note;
    }
  }

  /** Something that happened, at a second. */
  public record Happening(double second, String what, boolean harm) {}

  /**
   * What came of it.
   *
   * @param figures by figure and node, one value a second
   * @param convergedAfter seconds from the healing until all had the same; empty where they never
   *     had
   * @param broken a promise that was not kept
   */
  public record Performance(
      Story story,
      long seed,
      List<Happening> happenings,
      Map<Figure, Map<String, List<Double>>> figures,
      long acknowledged,
      long refused,
      long agreed,
      long critical,
      long waiting,
      Optional<Double> convergedAfter,
      Optional<String> broken) {
    public Performance {
      happenings = List.copyOf(happenings);
      figures = Map.copyOf(figures);
    }
  }

  private final Story story;
  private final long seed;
  private final World world;
  private final Random chance;
  private final SimulatedNetwork network;
  private final Oracle oracle = new Oracle(Mutant.NONE);
  private final Map<String, SimulatedNode> machines = new TreeMap<>();
  private final Map<String, Double> rates = new TreeMap<>();
  private final Map<String, Integer> hammers = new TreeMap<>();
  private final List<Happening> happenings = new ArrayList<>();
  private final Map<Figure, Map<String, List<Double>>> figures = new TreeMap<>();
  private final Map<String, Long> accepted = new TreeMap<>();
  private final Map<String, Long> refused = new TreeMap<>();
  private long made;
  private long acknowledged;
  private long refusedAll;
  private long agreed;

  private Stage(Story story, long seed) {
    this.story = story;
    this.seed = seed;
    this.world = new World(seed);
    this.chance = world.chance();
    this.network = new SimulatedNetwork(world);
    network.become(0, 0, 40);
    for (String name : story.nodes()) {
      machines.put(
          name,
          new SimulatedNode(world, network, machines, name, Mutant.NONE, POLICIES, oracle::look));
    }
    List<String> voters = story.nodes().subList(0, VOTERS);
    SimulatedConsensus consensus =
        new SimulatedConsensus(
            world, network, voters, Mutant.NONE, name -> machine(name).isAwake());
    voters.forEach(voter -> machine(voter).vote(consensus));
  }

  /** Plays a story. */
  public static Performance play(Story story, long seed) {
    return new Stage(story, seed).play();
  }

  private SimulatedNode machine(String name) {
    SimulatedNode found = machines.get(name);
    if (found == null) {
      throw new IllegalArgumentException("no machine " + name);
    }
    return found;
  }

  private void at(int second, String what, boolean harm, Runnable action) {
    world.at(
        second * SECOND,
        () -> {
          happenings.add(new Happening(second, what, harm));
          action.run();
        });
  }

  /** From a second on, so many writes a second at every node. */
  void everywhere(int second, String what, double perSecond) {
    at(second, what, false, () -> machines.keySet().forEach(name -> rates.put(name, perSecond)));
  }

  /** From a second on, so many writes a second at one node. */
  void load(int second, String what, String name, double perSecond) {
    at(second, what, false, () -> rates.put(name, perSecond));
  }

  /** One client updates one cart at a node, so many times a second. */
  void hammer(int from, int until, String name, int perSecond) {
    at(
        from,
        perSecond + " updates a second of one cart at " + name,
        true,
        () -> hammers.put(name, perSecond));
    at(until, "they end at " + name, false, () -> hammers.remove(name));
  }

  /** Cuts a node off from all others. */
  void isolate(int second, String name) {
    List<String> others = machines.keySet().stream().filter(other -> !other.equals(name)).toList();
    apart(second, List.of(name), others);
  }

  /** Cuts two groups of nodes from each other. */
  void apart(int second, List<String> left, List<String> right) {
    String what = String.join(", ", left) + " cut from " + String.join(", ", right);
    at(
        second,
        what,
        true,
        () ->
            left.forEach(one ->
                right.forEach(other -> {
                  network.block(one, other);
                  network.block(other, one);
                })));
  }

  /** Heals all lines. */
  void healAll(int second) {
    at(second, "lines healed", false, network::healAll);
  }

  /** Kills a process. */
  void kill(int second, String name) {
    at(
        second,
        name + " dies",
        true,
        () -> {
          machine(name).kill();
          rates.put(name, 0.0);
        });
  }

  /** Starts a process that was killed. */
  void start(int second, String name) {
    at(second, name + " is started again", false, () -> machine(name).start(false));
  }

  /** Loses a machine with its disk. */
  void lose(int second, String name) {
    at(
        second,
        name + " is lost, with its disk",
        true,
        () -> {
          machine(name).kill();
          rates.put(name, 0.0);
        });
  }

  /** A new machine takes the place of one that was lost. */
  void replace(int second, String name) {
    at(
        second,
        "a new node takes the place of " + name,
        false,
        () -> {
          oracle.goesBack(name);
          machine(name).goBackTo(0);
          machine(name).start(false);
          SimulatedNode.Running process = machine(name).process();
          if (process != null) {
            oracle.wentBack(name, process.node());
          }
        });
  }

  /** Somebody starts one and the same virtual machine on a host. */
  void startMachine(int second, String name, String host) {
    at(
        second,
        "a virtual machine is started on " + host + " at " + name,
        true,
        () ->
            write(
                name,
                new RecordKey("main", "vm", "vm-12"),
                set("host", Json.of(host)),
                new Seen.Context(VersionVector.EMPTY)));
  }

  private Performance play() {
    machines.values().forEach(machine -> machine.start(false));
    story.script().accept(this);
    for (long at = TICK_MILLIS; at < story.seconds() * SECOND; at += TICK_MILLIS) {
      world.at(at, this::tick);
    }
    for (int second = 1; second <= story.seconds(); second++) {
      world.at(second * SECOND, this::sample);
    }
    Optional<String> broken = Optional.empty();
    Optional<Double> converged = Optional.empty();
    try {
      world.runUntil(story.seconds() * SECOND);
      converged = converge();
      oracle.converged(nodes());
    } catch (Oracle.Broken e) {
      broken = Optional.of(String.valueOf(e.getMessage()));
    }
    Node any = nodes().values().iterator().next();
    List<Review> pending = any.reviews("main", Review.Status.PENDING, Optional.empty(), 10_000);
    long critical =
        pending.stream()
            .filter(r ->
                r.conflict() instanceof JsonObject conflict
                    && conflict.get("severity").equals(Json.of(Severity.CRITICAL.label())))
            .count();
    return new Performance(
        story,
        seed,
        happenings,
        figures,
        acknowledged,
        refusedAll,
        agreed,
        critical,
        pending.size(),
        converged,
        broken);
  }

  private Map<String, Node> nodes() {
    return SimulatedNode.running(machines);
  }

  private void tick() {
    rates.forEach((name, rate) -> {
      double expected = rate * TICK_MILLIS / SECOND;
      int writes = (int) expected + (chance.nextDouble() < expected % 1 ? 1 : 0);
      for (int i = 0; i < writes; i++) {
        write(name);
      }
    });
    hammers.forEach((name, rate) -> {
      for (int i = 0; i < rate * TICK_MILLIS / SECOND; i++) {
        RecordKey cart = new RecordKey("main", "cart", "stuck");
        write(name, cart, set("note", Json.of(name + made)), new Seen.Everything());
      }
    });
  }

  private void write(String name) {
    int kind = chance.nextInt(10);
    if (kind < 6) {
      RecordKey cart = new RecordKey("main", "cart", "c" + chance.nextInt(CARTS));
      Edit edit =
          new Edit.Operations(
              List.of(
                  new Operation.EditSet(
                      Path.of("items"), List.of(Json.of("item-" + made)), List.of()),
                  new Operation.Increment(Path.of("count"), 1)));
      write(name, cart, edit, new Seen.Everything());
    } else if (kind < 8) {
      RecordKey profile = new RecordKey("main", "profile", "p" + chance.nextInt(PROFILES));
      String field = chance.nextInt(4) == 0 ? "address" : "name";
      write(name, profile, set(field, Json.of(name + made)), new Seen.Existing());
    } else {
      agree(name, new RecordKey("main", "seat", "s" + chance.nextInt(SEATS)));
    }
  }

  private static Edit set(String field, Json value) {
    return new Edit.Operations(List.of(new Operation.Set(Path.of(field), value)));
  }

  private WriteRequest request(RecordKey key, Edit edit, Seen seen) {
    return new WriteRequest(
        key,
        edit,
        seen,
        "client",
        Optional.empty(),
        Optional.of("k" + made++),
        WriteRequest.Sender.NONE,
        Optional.empty(),
        Optional.empty(),
        "");
  }

  private void write(String name, RecordKey key, Edit edit, Seen seen) {
    SimulatedNode machine = machine(name);
    SimulatedNode.Running process = machine.process();
    if (process == null || machine.hasDied()) {
      return;
    }
    Node node = process.node();
    boolean missing = seen instanceof Seen.Existing && !node.read(key).view().exists();
    WriteRequest request = request(key, edit, missing ? new Seen.Nothing() : seen);
    CompletableFuture<Outcome> answer;
    try {
      answer = node.write(request);
    } catch (NodeStoppedException e) {
      machine.hasDied();
      return;
    }
    answered(name, request, answer, false);
    oracle.look(name, node);
  }

  /** A seat is written at whoever leads, as a node would send it on. */
  private void agree(String name, RecordKey key) {
    SimulatedNode.Running here = machine(name).process();
    if (here == null || machine(name).hasDied()) {
      return;
    }
    for (SimulatedNode.Running process : leading(name)) {
      WriteRequest request =
          request(key, set("holder", Json.of(name + made)), new Seen.Everything());
      answered(name, request, process.group().submit(process.node().writing(request)), true);
      return;
    }
    refused.merge(name, 1L, Long::sum);
    refusedAll++;
  }

  private List<SimulatedNode.Running> leading(String from) {
    List<SimulatedNode.Running> leading = new ArrayList<>();
    machines.forEach((name, machine) -> {
      SimulatedNode.Running process = machine.process();
      SimulatedConsensus.Member member = process == null ? null : process.member();
      boolean reached =
          name.equals(from) || (network.isOpen(from, name) && network.isOpen(name, from));
      if (process != null && member != null && reached && member.standing().leading()) {
        leading.add(process);
      }
    });
    return leading;
  }

  private void answered(
      String name, WriteRequest request, CompletableFuture<Outcome> answer, boolean together) {
    var _ =
        answer.whenComplete((outcome, problem) -> told(name, request, outcome, problem, together));
  }

  private void told(
      String name,
      WriteRequest request,
      @Nullable Outcome outcome,
      @Nullable Throwable problem,
      boolean together) {
    if (outcome instanceof Outcome.Accepted) {
      accepted.merge(name, 1L, Long::sum);
      acknowledged++;
      agreed += together ? 1 : 0;
      oracle.acknowledged(request.requestId().orElseThrow().substring(1));
    } else if (!(problem instanceof CompletionException)) {
      refused.merge(name, 1L, Long::sum);
      refusedAll++;
    }
  }

  private void sample() {
    Map<String, Node> nodes = nodes();
    VersionVector all = VersionVector.EMPTY;
    for (Node node : nodes.values()) {
      all = all.join(node.known());
    }
    for (String name : machines.keySet()) {
      Node node = nodes.get(name);
      put(Figure.ACCEPTED, name, take(accepted, name));
      put(Figure.REFUSED, name, take(refused, name));
      put(Figure.COMPETING, name, node == null ? Double.NaN : competing(node));
      put(Figure.LAG, name, node == null ? Double.NaN : lacking(node.known(), all));
      put(
          Figure.WAITING,
          name,
          node == null ? Double.NaN : node.countReviews("main", Review.Status.PENDING));
    }
  }

  private static double competing(Node node) {
    int competing = 0;
    for (int i = 0; i < CARTS + PROFILES; i++) {
      RecordKey key =
          i < CARTS
              ? new RecordKey("main", "cart", "c" + i)
              : new RecordKey("main", "profile", "p" + (i - CARTS));
      competing += node.read(key).view().heads() > 1 ? 1 : 0;
    }
    return competing;
  }

  private static double take(Map<String, Long> counted, String name) {
    Long count = counted.remove(name);
    return count == null ? 0 : count;
  }

  private void put(Figure figure, String name, double value) {
    figures
        .computeIfAbsent(figure, _ -> new TreeMap<>())
        .computeIfAbsent(name, _ -> new ArrayList<>())
        .add(value);
  }

  private static double lacking(VersionVector has, VersionVector all) {
    long lacking = 0;
    for (int i = 0; i < all.entries().size(); i++) {
      lacking += all.entries().value(i) - has.get(all.entries().key(i));
    }
    return lacking;
  }

  /** Heals all, and waits until all nodes have the same. */
  private Optional<Double> converge() {
    network.healAll();
    rates.clear();
    hammers.clear();
    for (SimulatedNode machine : machines.values()) {
      if (machine.process() == null || machine.hasDied()) {
        machine.start(false);
      }
    }
    long healed = world.nowMillis();
    while (world.nowMillis() < healed + HEAL_SECONDS_MAX * SECOND) {
      world.runUntil(world.nowMillis() + TICK_MILLIS);
      Map<String, Node> nodes = nodes();
      VersionVector first = nodes.values().iterator().next().known();
      boolean same =
          nodes.size() == machines.size()
              && nodes.values().stream().allMatch(node -> node.known().equals(first));
      if (same) {
        return Optional.of((world.nowMillis() - healed) / 1e3);
      }
    }
    return Optional.empty();
  }
}
