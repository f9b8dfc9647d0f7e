// SPDX-License-Identifier: Apache-2.0
package dev.entente.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import dev.entente.core.causality.Dot;
import dev.entente.core.causality.NodeId;
import dev.entente.core.edit.Edit;
import dev.entente.core.json.Json;
import dev.entente.core.json.JsonObject;
import dev.entente.core.json.Path;
import dev.entente.core.policy.PolicyProblem.PolicyException;
import dev.entente.core.record.RecordKey;
import dev.entente.engine.Correction;
import dev.entente.engine.Decision;
import dev.entente.engine.Node;
import dev.entente.engine.NodeConfig;
import dev.entente.engine.Outcome;
import dev.entente.engine.Sender;
import dev.entente.engine.WriteRequest;
import dev.entente.engine.WriteRequest.Seen;
import dev.entente.engine.store.Batch;
import dev.entente.engine.store.MemoryStore;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Numbers that stand for two versions are ended, and all that was acknowledged is kept. */
class VersionMendingTest {
  private final Map<String, MemoryStore> stores = new TreeMap<>();
  private final Map<String, Node> nodes = new TreeMap<>();
  private long incarnations = 1;

  private NodeConfig config(String name) {
    return NodeConfig.DEFAULT
        .withName(name)
        .withIncarnations(() -> ++incarnations)
        .onCallersThread();
  }

  private Node open(String name, MemoryStore store) {
    stores.put(name, store);
    Node node = Node.open(store, config(name));
    nodes.put(name, node);
    return node;
  }

  private Node open(String name) throws PolicyException {
    Node node = open(name, new MemoryStore());
    node.putPolicy("main", "type: t\ndefault: manual-review\nfields: {n: {cell: counter}}\n", "op")
        .join();
    return node;
  }

  private Node node(String name) {
    return nodes.get(name);
  }

  @BeforeEach
  void open() throws PolicyException {
    open("a");
    open("b");
    open("c");
  }

  private static RecordKey key(String id) {
    return new RecordKey("main", "t", id);
  }

  private Outcome put(String at, String id, String value) {
    return merge(at, id, "v", Json.of(value), Optional.empty());
  }

  private Outcome merge(String at, String id, String name, Json value, Optional<String> request) {
    WriteRequest write =
        new WriteRequest(
            key(id),
            new Edit.MergePatch(JsonObject.of(name, value)),
            new Seen.Everything(),
            "ann",
            Optional.empty(),
            request.map(each -> "i" + each),
            WriteRequest.Sender.of("token"),
            Optional.empty(),
            Optional.empty(),
            "");
    return node(at).write(write).join();
  }

  private static void pull(Node to, Node from) {
    to.take(from.ship(to.cursor(from.id()), to.known(), 1 << 24)).join();
  }

  private void exchange(String... names) {
    for (int round = 0; round < 2; round++) {
      for (String to : names) {
        for (String from : names) {
          if (!to.equals(from)) {
            pull(node(to), node(from));
          }
        }
      }
    }
  }

  private static MemoryStore copy(MemoryStore store) {
    MemoryStore copy = new MemoryStore();
    Batch batch = new Batch();
    store.copy((table, key, value) -> batch.put(table, key, value));
    copy.commit(batch);
    return copy;
  }

  /** Plays a first life that the others see, and a second on the directory as it was before. */
  private void twoLives(String name, List<String> seenBy, Runnable first, Runnable second) {
    MemoryStore earlier = copy(stores.get(name));
    first.run();
    seenBy.forEach(each -> pull(node(each), node(name)));
    open(name, earlier);
    second.run();
  }

  private VersionMending mending(String name) {
    Map<NodeId, VersionSource> others = new TreeMap<>();
    nodes.forEach((other, node) -> {
      if (!other.equals(name)) {
        others.put(node.id(), VersionSource.of(node));
      }
    });
    return new VersionMending(node(name), others);
  }

  /** Mends one node; returns how many numbers it put right. */
  private int mend(String name) throws IOException, InterruptedException {
    List<Correction> corrections = new ArrayList<>();
    for (VersionMending.Disputed disputed : mending(name).disputed()) {
      disputed.correction().ifPresent(corrections::add);
    }
    if (!corrections.isEmpty()) {
      var answer = node(name).mending().begin(corrections);
      assertThat(answer).isCompletedExceptionally();
      assertThat(node(name).failure()).isPresent();
      open(name, stores.get(name));
    }
    return corrections.size();
  }

  private void mendAll(String... names) throws IOException, InterruptedException {
    for (String name : names) {
      int _ = mend(name);
    }
    exchange(names);
    for (String name : names) {
      int _ = mending(name).forgetWrittenAgain();
    }
    exchange(names);
    assertMended(names);
  }

  private void assertMended(String... names) throws IOException, InterruptedException {
    for (String name : names) {
      Node node = node(name);
      assertThat(mend(name)).as("a second run at " + name).isZero();
      assertThat(node.mending().isPending()).isFalse();
      assertThat(node.held()).as(name + " holds back").isZero();
      assertThat(node.verify(_ -> {}).broken()).isEmpty();
      for (String other : names) {
        if (!other.equals(name)) {
          assertThat(
                  new VersionComparison(node)
                      .compare(node(other).id(), VersionSource.of(node(other))))
              .isEmpty();
          assertThat(node.digest().buckets()).isEqualTo(node(other).digest().buckets());
        }
      }
    }
  }

  /** All values that were ever given to a record's field and are kept, at a node. */
  private List<String> history(String at, String id) {
    List<String> kept = new ArrayList<>();
    node(at)
        .history(key(id), Long.MAX_VALUE, 1_000)
        .forEach(logged -> kept.add(logged.version().changes().toString()));
    return kept;
  }

  private void assertKept(String id, String... values) {
    nodes
        .keySet()
        .forEach(at -> {
          for (String value : values) {
            assertThat(history(at, id))
                .as(at)
                .anyMatch(change -> change.contains('"' + value + '"'));
          }
        });
  }

  private Json read(String at, String id, String name) {
    return node(at).read(key(id)).view().data() instanceof JsonObject data
        ? data.get(name)
        : Json.of("none");
  }

  @Test
  void writesOfBothLivesToDifferentRecordsAreKept() throws IOException, InterruptedException {
    put("c", "old", "0");
    exchange("a", "b", "c");
    twoLives(
        "c",
        List.of("a", "b"),
        () -> put("c", "first", "1"),
        () -> {
          put("c", "second", "2");
          put("c", "second", "3");
          put("c", "third", "4");
        });
    exchange("a", "b", "c");
    mendAll("a", "b", "c");
    assertKept("first", "1");
    assertKept("second", "2", "3");
    assertKept("third", "4");
    for (String at : nodes.keySet()) {
      assertThat(read(at, "first", "v")).isEqualTo(Json.of("1"));
      assertThat(read(at, "second", "v")).isEqualTo(Json.of("3"));
      assertThat(read(at, "third", "v")).isEqualTo(Json.of("4"));
      assertThat(node(at).reviewsOf(key("second"))).isEmpty();
    }
  }

  @Test
  void writesOfBothLivesToOneRecordCompete() throws IOException, InterruptedException {
    put("c", "x", "0");
    exchange("a", "b", "c");
    twoLives("c", List.of("a", "b"), () -> put("c", "x", "1"), () -> put("c", "x", "2"));
    exchange("a", "b", "c");
    mendAll("a", "b", "c");
    assertKept("x", "0", "1", "2");
    for (String at : nodes.keySet()) {
      assertThat(node(at).reviewsOf(key("x"))).hasSize(1);
    }
  }

  @Test
  void twoNodesMendWithoutAThird() throws IOException, InterruptedException {
    nodes.remove("b");
    put("c", "x", "0");
    exchange("a", "c");
    twoLives("c", List.of("a"), () -> put("c", "x", "1"), () -> put("c", "y", "2"));
    exchange("a", "c");
    mendAll("a", "c");
    assertKept("x", "0", "1");
    assertKept("y", "2");
    assertThat(node("c").id().value()).isNotEqualTo("c.1");
    assertThat(node("a").id().value()).isEqualTo("a.1");
  }

  /** Whether the others took the invented version first, or what the third node wrote. */
  @Test
  void whatANodeInventedUnderAThirdNodesNumberIsFoundAndMended()
      throws IOException, InterruptedException {
    put("c", "old", "0");
    exchange("a", "b", "c");
    Dot next = new Dot(node("c").id(), node("c").position() + 1);
    byte[] invented = Liar.version(next, key("invented"), v -> v.author("mallory").previous(0));
    node("a").receive(List.of(invented), Sender.at(Liar.ID, Liar.URL)).join();
    put("c", "real", "1");
    exchange("b", "c");
    node("b").receive(List.of(invented), Sender.at(Liar.ID, Liar.URL)).join();
    exchange("a", "b", "c");
    for (String other : List.of("b", "c")) {
      assertThat(
              new VersionComparison(node("a"))
                  .compare(node(other).id(), VersionSource.of(node(other))))
          .as("a finds it with %s", other)
          .isNotEmpty();
      assertThat(
              new VersionComparison(node(other))
                  .compare(node("a").id(), VersionSource.of(node("a"))))
          .as("%s finds it with a", other)
          .isNotEmpty();
    }
    assertThat(node("b").audit("main", Long.MAX_VALUE, 100))
        .anySatisfy(
            entry -> assertThat(entry.detail().toString()).contains("liar (http://liar) sent"));
    mendAll("a", "b", "c");
    assertKept("real", "1");
    for (String at : nodes.keySet()) {
      assertThat(read(at, "real", "v")).isEqualTo(Json.of("1"));
    }
  }

  @Test
  void whatBuildsOnTheSecondLifeIsKeptWhereverItWasWritten()
      throws IOException, InterruptedException {
    put("c", "x", "0");
    exchange("a", "b", "c");
    twoLives(
        "c",
        List.of("a"),
        () -> {
          put("c", "x", "first");
          put("c", "y", "first");
        },
        () -> {
          put("c", "x", "second");
          put("c", "z", "second");
        });
    exchange("b", "c");
    put("b", "x", "on second");
    put("b", "z", "on second");
    put("a", "x", "on first");
    put("c", "z", "on both");
    exchange("a", "b", "c");
    mendAll("a", "b", "c");
    assertKept("x", "0", "first", "second", "on second", "on first");
    assertKept("y", "first");
    assertKept("z", "second", "on second", "on both");
  }

  @Test
  void countersCountEveryAcknowledgedChangeOnce() throws IOException, InterruptedException {
    merge("c", "x", "n", Json.of(1), Optional.empty());
    exchange("a", "b", "c");
    twoLives(
        "c",
        List.of("a"),
        () -> count("c", 10),
        () -> {
          count("c", 100);
          count("c", 1_000);
        });
    exchange("b", "c");
    count("b", 10_000);
    exchange("a", "b", "c");
    mendAll("a", "b", "c");
    for (String at : nodes.keySet()) {
      assertThat(read(at, "x", "n")).as(at).isEqualTo(Json.of(11_111));
    }
  }

  private void count(String at, long by) {
    assertThat(
            node(at)
                .write(
                    WriteRequest.of(
                        key("x"),
                        new Edit.Operations(
                            List.of(new Edit.Operation.Increment(Path.of("n"), by))),
                        new Seen.Everything(),
                        "ann"))
                .join())
        .isInstanceOf(Outcome.Accepted.class);
  }

  @Test
  void aRequestThatIsSentAgainIsAnsweredAndCountsOnce() throws IOException, InterruptedException {
    twoLives(
        "c",
        List.of("a", "b"),
        () -> put("c", "x", "1"),
        () -> merge("c", "y", "v", Json.of("2"), Optional.of("r1")));
    exchange("a", "b", "c");
    mendAll("a", "b", "c");
    for (String at : nodes.keySet()) {
      assertThat(merge(at, "y", "v", Json.of("2"), Optional.of("r1")))
          .as(at)
          .isInstanceOf(Outcome.Duplicate.class);
    }
  }

  @Test
  void aDecisionOfTheSecondLifeIsKept() throws IOException, InterruptedException {
    Seen seen = new Seen.Context(node("c").read(key("x")).state().context());
    twoLives(
        "c",
        List.of("a", "b"),
        () -> put("c", "x", "first"),
        () -> {
          put("c", "x", "second");
          node("c")
              .write(
                  WriteRequest.of(
                      key("x"), new Edit.Put(JsonObject.of("v", Json.of("beside"))), seen, "bob"))
              .join();
          String review = node("c").reviewsOf(key("x")).getFirst().id();
          node("c").decide("main", review, new Decision.Choose(0), "op", "so be it").join();
        });
    exchange("a", "b", "c");
    mendAll("a", "b", "c");
    assertKept("x", "first", "second", "beside");
  }

  @Test
  void threeLivesAreAllKept() throws IOException, InterruptedException {
    put("c", "x", "0");
    exchange("a", "b", "c");
    MemoryStore earlier = copy(stores.get("c"));
    put("c", "x", "1");
    pull(node("a"), node("c"));
    open("c", copy(earlier));
    put("c", "x", "2");
    pull(node("b"), node("c"));
    open("c", earlier);
    put("c", "x", "3");
    exchange("a", "b", "c");
    mendAll("a", "b", "c");
    assertKept("x", "0", "1", "2", "3");
  }

  @Test
  void theOrderInWhichNodesMendDoesNotMatter() throws Exception {
    List<List<String>> orders =
        List.of(List.of("a", "b", "c"), List.of("c", "b", "a"), List.of("b", "c", "a"));
    for (List<String> order : orders) {
      nodes.clear();
      open();
      put("c", "x", "0");
      exchange("a", "b", "c");
      twoLives("c", List.of("a"), () -> put("c", "x", "1"), () -> put("c", "y", "2"));
      exchange("b", "c");
      put("b", "y", "3");
      exchange("a", "b", "c");
      mendAll(order.toArray(String[]::new));
      assertKept("x", "1");
      assertKept("y", "2", "3");
      assertThat(read("a", "y", "v")).isEqualTo(Json.of("3"));
    }
  }

  @Test
  void aMendThatIsKilledAnywhereIsFinishedByTheNextStart() throws Exception {
    put("c", "x", "0");
    exchange("a", "b", "c");
    twoLives(
        "c",
        List.of("a", "b"),
        () -> put("c", "x", "1"),
        () -> {
          put("c", "x", "2");
          put("c", "y", "3");
        });
    exchange("a", "b", "c");
    List<Correction> corrections = new ArrayList<>();
    for (VersionMending.Disputed disputed : mending("c").disputed()) {
      disputed.correction().ifPresent(corrections::add);
    }
    assertThat(node("c").mending().begin(corrections)).isCompletedExceptionally();
    // What comes after the first commit is lost once, and done by the start that follows.
    MemoryStore killed = copy(stores.get("c"));
    open("c", stores.get("c"));
    open("c", killed);
    mendAll("a", "b", "c");
    assertKept("x", "0", "1", "2");
    assertKept("y", "3");
  }
}
