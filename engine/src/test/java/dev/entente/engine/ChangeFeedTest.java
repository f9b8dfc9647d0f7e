// SPDX-License-Identifier: Apache-2.0
package dev.entente.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.entente.core.causality.CausalContext;
import dev.entente.core.causality.Dot;
import dev.entente.core.codec.ByteReader.DamagedException;
import dev.entente.core.edit.Edit;
import dev.entente.core.json.Json;
import dev.entente.core.json.JsonObject;
import dev.entente.core.record.RecordKey;
import dev.entente.core.record.Version;
import dev.entente.engine.WriteRequest.Seen;
import dev.entente.engine.store.MemoryStore;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/**
 * A reader of the changes feed hears of every version once and in causal order, whichever nodes it
 * asks and whatever happens to them; where that cannot be, it is refused.
 */
class ChangeFeedTest {
  private static final int SEEDS = Integer.getInteger("entente.feed.seeds", 150);

  private final AtomicLong now = new AtomicLong(1_763_802_000_000L);
  private final List<Node> opened = new ArrayList<>();

  @AfterEach
  void close() {
    opened.forEach(Node::close);
  }

  private Node open(String name) {
    Node node =
        Node.open(
            new MemoryStore(),
            NodeConfig.DEFAULT.withName(name).withClock(now::get).onCallersThread());
    opened.add(node);
    return node;
  }

  private static void put(Node node, String tenant, String id, int value) {
    Edit edit = new Edit.Put(JsonObject.of("v", Json.of(value)));
    node.write(WriteRequest.of(new RecordKey(tenant, "t", id), edit, new Seen.Everything(), "ann"))
        .join();
  }

  private static void pull(Node from, Node to, int bytesMax) {
    to.take(from.ship(to.cursor(from.id()), to.known(), bytesMax)).join();
  }

  /** A client that remembers what it heard, and sends its cursor to whichever node it asks. */
  private static final class Reader {
    private final List<Version> heard = new ArrayList<>();
    private FeedCursor cursor;

    Reader(Node first) {
      cursor = first.feed().begin("main");
    }

    void read(Node node, int limit) {
      ChangeFeed.Page page = node.feed().read("main", cursor, limit);
      page.entries().forEach(entry -> heard.add(entry.version()));
      FeedCursor next = page.cursor();
      cursor = FeedCursor.fromBytes(next.toBytes());
      assertThat(cursor).isEqualTo(next);
    }

    /** Stops in the middle of a page, at the cursor of one of its lines. */
    void readUpTo(Node node, int limit, int lines) {
      List<ChangeFeed.Entry> entries = node.feed().read("main", cursor, limit).entries();
      for (ChangeFeed.Entry entry : entries.subList(0, Math.min(lines, entries.size()))) {
        heard.add(entry.version());
        cursor = entry.cursor();
      }
    }

    void readAll(Node node) {
      int before;
      do {
        before = heard.size();
        read(node, 7);
      } while (heard.size() > before);
    }

    List<Dot> dots() {
      return heard.stream().map(Version::dot).toList();
    }
  }

  @Test
  void aReaderThatMovesBetweenNodesHearsEveryVersionOnceAndInCausalOrder() {
    for (int seed = 0; seed < SEEDS; seed++) {
      play(seed);
    }
  }

  private void play(long seed) {
    Random random = new Random(seed);
    List<Node> nodes = new ArrayList<>(List.of(open("a"), open("b"), open("c")));
    List<Reader> readers = new ArrayList<>();
    nodes.forEach(node -> readers.add(new Reader(node)));
    for (int step = 0; step < 120; step++) {
      Node one = nodes.get(random.nextInt(nodes.size()));
      Node other = nodes.get(random.nextInt(nodes.size()));
      Reader reader = readers.get(random.nextInt(readers.size()));
      switch (random.nextInt(8)) {
        case 0, 1 -> put(one, "main", "r" + random.nextInt(5), step);
        case 2 -> put(one, "other", "r" + random.nextInt(3), step);
        case 3 -> {
          if (one != other) {
            pull(one, other, random.nextBoolean() ? 300 : 1 << 20);
          }
        }
        case 4 -> {
          if (one != other) {
            deliverOutOfOrder(one, other, random);
          }
        }
        case 5 -> reader.read(one, 1 + random.nextInt(6));
        case 6 -> reader.readUpTo(one, 6, random.nextInt(6));
        default -> now.addAndGet(random.nextInt(1_000));
      }
      if (step == 60) {
        nodes.add(open("d" + seed));
      }
    }
    for (int round = 0; round < 3; round++) {
      for (Node from : nodes) {
        nodes.stream().filter(to -> to != from).forEach(to -> pull(from, to, 1 << 20));
      }
    }
    Set<Dot> all = new LinkedHashSet<>();
    nodes.getFirst().changes("main", 0, 10_000).forEach(feed -> all.add(feed.version().dot()));
    for (Reader reader : readers) {
      reader.readAll(nodes.get(random.nextInt(nodes.size())));
      assertThat(reader.dots())
          .as("seed %s", seed)
          .doesNotHaveDuplicates()
          .containsExactlyInAnyOrderElementsOf(all);
      assertCausalOrder(seed, reader.heard);
    }
  }

  /** What the network may do to versions that are handed over one by one. */
  private static void deliverOutOfOrder(Node from, Node to, Random random) {
    List<byte[]> versions = new ArrayList<>();
    from.ship(0, to.known(), 1 << 20).entries().forEach(entry -> versions.add(entry.version()));
    Collections.shuffle(versions, random);
    to.receive(versions.subList(0, versions.size() / 2)).join();
  }

  private static void assertCausalOrder(long seed, List<Version> heard) {
    Map<RecordKey, List<Version>> earlier = new HashMap<>();
    for (Version version : heard) {
      List<Version> before = earlier.computeIfAbsent(version.key(), _ -> new ArrayList<>());
      assertThat(before)
          .as("seed %s: what %s had seen comes before it", seed, version.dot())
          .noneMatch(other -> other.context().contains(version.dot()));
      before.add(version);
    }
  }

  @Test
  void aCursorGoesOnUnderTheNextIncarnationOfItsNode() {
    MemoryStore store = new MemoryStore();
    NodeConfig config = NodeConfig.DEFAULT.withName("a").withClock(now::get).onCallersThread();
    Node before = Node.open(store, config);
    put(before, "main", "x", 1);
    put(before, "main", "y", 2);
    Reader reader = new Reader(before);
    reader.read(before, 1);
    before.close();
    Node after = Node.openRestored(store, config);
    opened.add(after);
    put(after, "main", "z", 3);
    reader.read(after, 1);
    Node other = open("b");
    pull(after, other, 1 << 20);
    reader.readAll(other);
    reader.readAll(after);
    assertThat(reader.heard.stream().map(version -> version.key().id()))
        .containsExactly("x", "y", "z");
  }

  @Test
  void aCursorBehindTheEndOfALogThatWasPutBackIsRefused() {
    Node node = open("a");
    put(node, "main", "x", 1);
    FeedCursor beyond = new FeedCursor(node.id(), 9, CausalContext.EMPTY, 0);
    assertThatThrownBy(() -> node.feed().read("main", beyond, 10))
        .isInstanceOf(FeedGapException.class)
        .hasMessageContaining("without a cursor");
  }

  @Test
  void aReaderThatHasNotSeenWhatWasCompactedIsRefusedHereAndAtOtherNodes() {
    Node a = open("a");
    Node b = open("b");
    put(a, "main", "x", 0);
    Reader late = new Reader(a);
    late.read(a, 10);
    for (int i = 1; i < 6; i++) {
      put(a, "main", "x", i);
    }
    Reader current = new Reader(a);
    current.readAll(a);
    pull(a, b, 1 << 20);
    now.addAndGet(1_000);
    for (Node node : List.of(a, b)) {
      assertThat(
              node.prune(
                      "main",
                      Retention.Limits.before(Instant.ofEpochMilli(now.get())),
                      a.known().join(b.known()),
                      (_, _) -> false,
                      0,
                      false)
                  .versions())
          .isPositive();
      assertThatThrownBy(() -> node.feed().read("main", late.cursor, 10))
          .as(node.id().name())
          .isInstanceOf(FeedGapException.class);
      current.read(node, 10);
    }
    assertThat(current.dots()).doesNotHaveDuplicates().hasSize(6);
    Reader begins = new Reader(a);
    assertThat(a.feed().read("main", begins.cursor, 1).gap()).isTrue();
    begins.readAll(a);
    begins.readAll(b);
    assertThat(begins.dots()).as("the newest version of each record").hasSize(1);
  }

  @Test
  void bytesThatAreNoCursorAreRefused() {
    byte[] good = open("a").feed().begin("main").toBytes();
    for (int length = 0; length < good.length; length++) {
      byte[] cut = Arrays.copyOf(good, length);
      assertThatThrownBy(() -> FeedCursor.fromBytes(cut))
          .isInstanceOfAny(DamagedException.class, IllegalArgumentException.class);
    }
    assertThatThrownBy(() -> FeedCursor.fromBytes(new byte[] {9, 0}))
        .isInstanceOf(DamagedException.class);
  }
}
