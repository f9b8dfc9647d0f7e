// SPDX-License-Identifier: Apache-2.0
package dev.entente.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.entente.engine.store.Folders;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.NavigableSet;
import java.util.Optional;
import java.util.Random;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

/**
 * Nodes on a real network with latency, under load of every kind, while all is done to them that a
 * machine and a network can do: what clients were told holds. Longer with {@code
 * -Dentente.nemesis.seconds} for each kind of harm, and larger with {@code
 * -Dentente.nemesis.nodes}.
 */
class NemesisTest {
  private static final int SECONDS = Integer.getInteger("entente.nemesis.seconds", 1);
  private static final int NODES = Integer.getInteger("entente.nemesis.nodes", 3);
  private static final List<String> NAMES = List.of("a", "b", "c", "d", "e").subList(0, NODES);
  private static final int CLIENTS = 3;

  @TempDir Path folder;
  private final Map<String, RealNode> nodes = new HashMap<>();
  private final Random chance = new Random(Long.getLong("entente.nemesis.seed", 7));
  private volatile boolean loading = true;

  private @Nullable RealNode node(String name) {
    synchronized (nodes) {
      return nodes.get(name);
    }
  }

  private void start(Lab lab, String name) throws IOException {
    put(name, lab.start(name));
  }

  private void put(String name, RealNode started) {
    synchronized (nodes) {
      nodes.put(name, started);
    }
  }

  private List<RealNode> all() {
    synchronized (nodes) {
      return List.copyOf(nodes.values());
    }
  }

  /** One kind of harm, done to one node or between nodes, and taken back. */
  @FunctionalInterface
  private interface Harm {
    void to(String victim) throws IOException, InterruptedException;
  }

  @Test
  void whatClientsWereToldHoldsWhateverIsDone() throws Exception {
    assumeTrue(
        System.getProperty("entente.nemesis.seconds") != null,
        "a deep run: give -Dentente.nemesis.seconds");
    Optional<String> whyNot = Lab.whyNot();
    assumeTrue(whyNot.isEmpty(), () -> "no network of namespaces: " + whyNot.orElseThrow());
    try (Lab lab = Lab.of(folder, NAMES)) {
      try {
        for (String name : NAMES) {
          start(lab, name);
        }
        declare();
        withLoad(lab);
      } finally {
        for (RealNode node : all()) {
          node.kill();
        }
      }
    }
  }

  private void declare() throws Exception {
    RealNode first = all().getFirst();
    Map<String, String> policies =
        Map.of("seat", Registers.POLICY, "note", CausalSessions.POLICY, "t", Additions.POLICY);
    for (Map.Entry<String, String> policy : policies.entrySet()) {
      eventually(() ->
          first
                  .send(
                      "PUT",
                      "/v1/main/policies/" + policy.getKey(),
                      "application/yaml",
                      policy.getValue())
                  .statusCode()
              == 200);
    }
    for (RealNode node : all()) {
      eventually(() -> node.send("GET", "/v1/main/policies", "").body().contains("seat"));
      eventually(() -> node.send("PUT", "/v1/main/records/seat/warm", "{}").statusCode() < 300);
    }
  }

  private void withLoad(Lab lab) throws Exception {
    Nodes any = random -> node(NAMES.get(random.nextInt(NAMES.size())));
    Registers registers = new Registers(any);
    CausalSessions sessions = new CausalSessions(any);
    Additions additions = new Additions();
    List<Thread> clients = new ArrayList<>();
    for (int c = 0; c < CLIENTS; c++) {
      int client = c;
      clients.add(Thread.ofVirtual().start(() -> registers.work(client, () -> loading)));
      clients.add(Thread.ofVirtual().start(() -> sessions.work(client, () -> loading)));
      clients.add(Thread.ofVirtual().start(() -> additions.work(client, any, () -> loading)));
    }
    for (Map.Entry<String, Harm> harm : harms(lab).entrySet()) {
      if (!harm.getKey().matches(System.getProperty("entente.nemesis.only", ".*"))) {
        continue;
      }
      String victim = NAMES.get(chance.nextInt(NAMES.size()));
      System.out.println(harm.getKey() + " at " + victim);
      int before = additions.acknowledged();
      try {
        harm.getValue().to(victim);
        Thread.sleep(1_500);
        eventually(() -> additions.acknowledged() > before);
      } catch (AssertionError | IOException e) {
        throw new AssertionError(
            harm.getKey()
                + " at "
                + victim
                + "; clients "
                + clients.stream().filter(Thread::isAlive).count()
                + " of "
                + clients.size()
                + ", acknowledged "
                + additions.acknowledged()
                + ": "
                + known(lab)
                + "; "
                + told(lab),
            e);
      }
    }
    loading = false;
    for (Thread client : clients) {
      client.join();
    }
    assertThat(all()).hasSize(NODES);
    for (int i = 0; i < 120 && known(lab).size() > 1; i++) {
      Thread.sleep(1_000);
    }
    assertThat(known(lab)).as("what each node has in the end").hasSize(1);
    additions.check(all());
    assertThat(additions.acknowledged()).isGreaterThan(50);
    assertThat(registers.unexplained()).isEmpty();
    assertThat(registers.answered()).isGreaterThan(50);
    assertThat(sessions.unexplained()).isEmpty();
    assertThat(sessions.size()).isGreaterThan(50);
    System.out.printf(
        "%d strict and %d causal operations explained%n", registers.answered(), sessions.size());
  }

  private Map<String, Harm> harms(Lab lab) {
    Map<String, Harm> harms = new LinkedHashMap<>();
    harms.put(
        "kill -9",
        victim -> {
          long end = end();
          do {
            killed(victim);
            start(lab, victim);
            Thread.sleep(500);
          } while (System.nanoTime() < end);
        });
    harms.put(
        "SIGSTOP",
        victim -> {
          RealNode node = running(victim);
          node.signal("STOP");
          pause();
          node.signal("CONT");
        });
    harms.put(
        "isolation",
        victim ->
            whileCut(
                lab,
                NAMES.stream().filter(n -> !n.equals(victim)).toList(),
                List.of(victim),
                true));
    harms.put(
        "halves",
        _ -> whileCut(lab, NAMES.subList(0, NODES / 2), NAMES.subList(NODES / 2, NODES), true));
    harms.put(
        "one way",
        victim ->
            whileCut(
                lab,
                List.of(victim),
                NAMES.stream().filter(n -> !n.equals(victim)).toList(),
                false));
    harms.put(
        "bridge",
        victim -> {
          List<String> others = NAMES.stream().filter(n -> !n.equals(victim)).toList();
          int half = others.size() / 2;
          whileCut(lab, others.subList(0, half), others.subList(half, others.size()), true);
        });
    harms.put(
        "loss of 20 %",
        victim -> {
          lab.lose(victim, 20);
          pause();
          lab.heal();
        });
    harms.put(
        "clock",
        victim -> {
          killed(victim);
          put(victim, lab.startWithOwnClock(victim));
          // Not far ahead: what is accepted then waits at the others until their clocks get there.
          for (long seconds : List.of(40L, -40L, -3_600L, 0L)) {
            lab.move(victim, seconds);
            Thread.sleep(1_500 + SECONDS * 250L);
          }
          killed(victim);
          start(lab, victim);
        });
    harms.put(
        "full disk",
        victim -> {
          // A store goes on for as long as it has room in files that it made larger beforehand.
          long end = end();
          do {
            lab.disk(victim).fill();
            Thread.sleep(200);
          } while (System.nanoTime() < end);
          System.out.println("  the node " + (running(victim).isAlive() ? "goes on" : "has ended"));
          lab.disk(victim).empty();
          killed(victim);
          start(lab, victim);
        });
    harms.put(
        "power cut",
        victim -> {
          long end = end();
          do {
            RealNode node = running(victim);
            node.signal("STOP");
            lab.disk(victim).cutPower();
            killed(victim);
            assertThat(lab.disk(victim).powerUp()).as("what nobody synced is gone").isTrue();
            start(lab, victim);
            Thread.sleep(500);
          } while (System.nanoTime() < end);
        });
    harms.put(
        "failing syncs",
        victim -> {
          int ended = 0;
          long end = end();
          do {
            lab.disk(victim).failSyncs();
            Thread.sleep(Math.min(10, SECONDS) * 1_000L);
            ended += running(victim).isAlive() ? 0 : 1;
            mended(lab, victim);
          } while (System.nanoTime() < end);
          System.out.printf("  the node ended %d times%n", ended);
        });
    harms.put(
        "failing reads",
        victim -> {
          // Starting writes what is in the log into tables.
          killed(victim);
          start(lab, victim);
          ready(victim);
          lab.disk(victim).failReads(table(lab.data(victim)));
          pause();
          System.out.println("  the node " + (running(victim).isAlive() ? "goes on" : "has ended"));
          mended(lab, victim);
        });
    harms.put(
        "old snapshot",
        victim -> {
          Path then = lab.disk(victim).at().resolve("then");
          killed(victim);
          copy(lab.data(victim), then);
          start(lab, victim);
          ready(victim);
          pause();
          emptied(victim);
          Folders.delete(lab.data(victim));
          Files.move(then, lab.data(victim));
          start(lab, victim);
          seated(lab, victim);
        });
    harms.put(
        "damaged files",
        victim -> {
          int begun = 0;
          long end = end();
          do {
            emptied(victim);
            String what = damage(lab.data(victim));
            String data = lab.data(victim).toString();
            int found = new CommandLine(new RebuildCommand()).execute("--data", data, "--check");
            if (found != 0 || !comes(lab, victim)) {
              System.out.println("  begins anew: " + what);
              Folders.delete(lab.data(victim));
              start(lab, victim);
              begun++;
            }
            seated(lab, victim);
          } while (System.nanoTime() < end);
          System.out.printf("  the node began anew %d times%n", begun);
        });
    harms.put(
        "damage of 1 %",
        victim -> {
          lab.damage(victim, 10);
          pause();
          lab.damage(victim, 0);
        });
    harms.put(
        "all killed",
        _ -> {
          for (String name : NAMES) {
            killed(name);
          }
          for (String name : NAMES) {
            start(lab, name);
          }
        });
    return harms;
  }

  private void whileCut(Lab lab, List<String> some, List<String> others, boolean bothWays)
      throws IOException, InterruptedException {
    for (String one : some) {
      for (String other : others) {
        lab.cut(one, other);
        if (bothWays) {
          lab.cut(other, one);
        }
      }
    }
    pause();
    lab.heal();
  }

  private RealNode running(String name) {
    RealNode node = node(name);
    if (node == null) {
      throw new IllegalStateException(name + " does not run");
    }
    return node;
  }

  private void killed(String name) throws InterruptedException {
    RealNode node = running(name);
    synchronized (nodes) {
      nodes.remove(name);
    }
    node.kill();
  }

  private void ready(String name) throws IOException, InterruptedException {
    eventually(() -> running(name).send("GET", "/health/ready", "").statusCode() == 200);
  }

  /** What an operator does for a node whose disk failed. */
  private void mended(Lab lab, String victim) throws IOException, InterruptedException {
    killed(victim);
    lab.disk(victim).mend();
    String data = lab.data(victim).toString();
    int code = new CommandLine(new RebuildCommand()).execute("--data", data, "--cut-log");
    assertThat(code).as("what an operator does with a damaged log").isZero();
    start(lab, victim);
    ready(victim);
  }

  /** Whether a node starts, rather than refuse to. */
  private boolean comes(Lab lab, String name) throws IOException {
    try {
      start(lab, name);
      return true;
    } catch (AssertionError e) {
      return false;
    }
  }

  /** Ends a node that nobody writes to any more once the others have all that it has. */
  private void emptied(String victim) throws IOException, InterruptedException {
    RealNode node = running(victim);
    synchronized (nodes) {
      nodes.remove(victim);
    }
    Thread.sleep(1_000);
    Map<String, Long> has = numbers(node, victim);
    for (RealNode other : all()) {
      eventually(() -> {
        Map<String, Long> there = numbers(other, victim);
        return has.entrySet().stream()
            .allMatch(own -> there.getOrDefault(own.getKey(), 0L) >= own.getValue());
      });
    }
    node.kill();
  }

  /** Up to which numbers a node has what another wrote, under each name that that had. */
  private static Map<String, Long> numbers(RealNode at, String writer)
      throws IOException, InterruptedException {
    Map<String, Long> numbers = new HashMap<>();
    Matcher each = Pattern.compile("\"(" + writer + "\\.\\d+)\":(\\d+)").matcher(known(at));
    while (each.find()) {
      numbers.put(each.group(1), Long.valueOf(each.group(2)));
    }
    return numbers;
  }

  /** What an operator does for a voter that no longer has what it voted on. */
  private void seated(Lab lab, String victim) throws IOException, InterruptedException {
    eventually(() -> {
      String told = running(victim).send("GET", "/v1/cluster", "").body();
      String seat = "/v1/cluster/voters/" + victim;
      if (told.contains("remove-voter " + victim)) {
        answered(running(victim).send("DELETE", seat, ""));
      } else if (told.contains("add-voter " + victim)) {
        String address = lab.address(victim) + ":" + Lab.VOTES;
        answered(running(victim).send("PUT", seat, "{\"address\":\"" + address + "\"}"));
      }
      return told.contains("\"waitsFor\":\"\"") && told.contains("\"group\":{");
    });
  }

  private static void answered(HttpResponse<String> answer) {
    if (answer.statusCode() != 200) {
      System.out.println("  " + answer.body());
    }
  }

  private static void copy(Path from, Path to) throws IOException {
    try (Stream<Path> files = Files.walk(from)) {
      for (Path file : files.toList()) {
        Files.copy(file, to.resolve(from.relativize(file)));
      }
    }
  }

  /** One of the files that hold the tables of a node. */
  private static Path table(Path data) throws IOException {
    try (Stream<Path> files = Files.list(data.resolve("store"))) {
      return files.filter(file -> file.toString().endsWith(".sst")).findFirst().orElseThrow();
    }
  }

  /** Flips a bit of one of the files of a node, or cuts one short; what it did. */
  private String damage(Path data) throws IOException {
    List<Path> files;
    try (Stream<Path> all = Files.walk(data)) {
      files =
          all.filter(file -> file.toFile().isFile() && file.toFile().length() > 0)
              .filter(file -> !String.valueOf(file.getFileName()).matches("LOG.*|token"))
              .sorted()
              .toList();
    }
    Path file = files.get(chance.nextInt(files.size()));
    long at = chance.nextLong(Files.size(file));
    try (RandomAccessFile open = new RandomAccessFile(file.toFile(), "rw")) {
      if (chance.nextInt(4) == 0) {
        open.setLength(at);
        return file + " cut at " + at;
      }
      open.seek(at);
      int was = open.read();
      open.seek(at);
      open.write(was ^ (1 << chance.nextInt(8)));
      return file + " flipped at " + at;
    }
  }

  private static long end() {
    return System.nanoTime() + SECONDS * 1_000_000_000L;
  }

  private static void pause() throws InterruptedException {
    Thread.sleep(SECONDS * 1_000L);
  }

  /** What each node has of all nodes; one element where all have the same. */
  private NavigableSet<String> known(Lab lab) throws IOException, InterruptedException {
    NavigableSet<String> known = new TreeSet<>();
    for (String name : NAMES) {
      if (node(name) == null) {
        known.add(name + " does not run");
        continue;
      }
      try {
        known.add(known(running(name)));
      } catch (IOException e) {
        known.add(
            name
                + (running(name).isAlive() ? " runs and" : " has ended and")
                + " does not answer: "
                + lab.lastErrors(name));
      }
    }
    return known;
  }

  /** What the nodes say of who votes, and what they complained of last. */
  private String told(Lab lab) throws IOException, InterruptedException {
    StringBuilder told = new StringBuilder();
    for (String name : NAMES) {
      told.append('\n').append(name).append(": ");
      try {
        RealNode node = node(name);
        String body = node == null ? "" : node.send("GET", "/v1/cluster", "").body();
        told.append(body.replaceFirst(".*(?=\"group\":)", ""));
      } catch (IOException e) {
        told.append(e);
      }
      told.append('\n').append(lab.lastErrors(name));
    }
    return told.toString();
  }

  private static String known(RealNode node) throws IOException, InterruptedException {
    String body = node.send("GET", "/v1/cluster", "").body();
    int at = body.indexOf("\"known\":{");
    return at < 0 ? body : body.substring(at, body.indexOf('}', at) + 1);
  }

  private static void eventually(Eventually.Check check) throws IOException, InterruptedException {
    Eventually.holds(Duration.ofMinutes(2), check);
  }
}
