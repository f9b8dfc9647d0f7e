// SPDX-License-Identifier: Apache-2.0
package dev.entente.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import dev.entente.core.causality.NodeId;
import dev.entente.core.codec.ByteReader;
import dev.entente.core.codec.VersionCodec;
import dev.entente.core.edit.Edit;
import dev.entente.core.json.Json;
import dev.entente.core.json.JsonNumber;
import dev.entente.core.json.JsonObject;
import dev.entente.core.json.JsonString;
import dev.entente.core.json.Path;
import dev.entente.core.policy.PolicyProblem.PolicyException;
import dev.entente.core.record.RecordKey;
import dev.entente.core.record.Version;
import dev.entente.engine.AuditEntry;
import dev.entente.engine.Correction;
import dev.entente.engine.Node;
import dev.entente.engine.NodeConfig;
import dev.entente.engine.Outcome;
import dev.entente.engine.WriteRequest;
import dev.entente.engine.WriteRequest.Seen;
import dev.entente.engine.codec.Keys;
import dev.entente.engine.store.Batch;
import dev.entente.engine.store.MemoryStore;
import dev.entente.engine.store.Store;
import dev.entente.engine.store.Table;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.CompletionException;
import org.junit.jupiter.api.Test;

/**
 * Clusters that are written to, exchange some of it, and have directories put back at any time;
 * then all nodes mend in any order. What waited under a number that joined with other content is
 * kept in the audit log alone. {@code -Dentente.mending.seeds} plays more of them.
 */
class MendingSeedsTest {
  private static final int SEEDS = Integer.getInteger("entente.mending.seeds", 30);
  private static final int ROUNDS_MAX = 8;

  @Test
  void allThatWasAcknowledgedAndNotLostWithADirectoryIsKept() throws Exception {
    int mended = 0;
    for (int seed = 1; seed <= SEEDS; seed++) {
      Play play = new Play(seed, false);
      assertThat(play.broken()).as("seed %d", seed).isEmpty();
      mended += play.mended;
    }
    assertThat(mended).isGreaterThan(SEEDS / 2);
  }

  @Test
  void aMendThatDropsWhatLostIsFound() throws Exception {
    int found = 0;
    for (int seed = 1; seed <= SEEDS; seed++) {
      found += new Play(seed, true).broken().isPresent() ? 1 : 0;
    }
    assertThat(found).isPositive();
  }

  /** One cluster. */
  private static final class Play {
    private final boolean drops;
    private final Random random;
    private final Map<String, MemoryStore> stores = new TreeMap<>();
    private final Map<String, Node> nodes = new TreeMap<>();
    private final Map<String, MemoryStore> snapshots = new HashMap<>();

    /** Acknowledged writes that no directory took with it, and by how much each counts. */
    private final Map<String, Long> alive = new TreeMap<>();

    private long incarnations = 1;
    private int writes;
    private int mended;

    Play(long seed, boolean drops) {
      this.drops = drops;
      this.random = new Random(seed);
    }

    Optional<String> broken() throws Exception {
      for (String name : random.nextBoolean() ? List.of("a", "b", "c") : List.of("a", "c")) {
        open(name, new MemoryStore());
      }
      for (int i = 0; i < 60; i++) {
        step();
      }
      for (int round = 0; round < ROUNDS_MAX; round++) {
        exchangeAll();
        List<String> order = new ArrayList<>(nodes.keySet());
        Collections.shuffle(order, random);
        int corrections = 0;
        for (String name : order) {
          corrections += mend(name);
        }
        mended += corrections;
        exchangeAll();
        for (String name : order) {
          int _ = mending(name).forgetWrittenAgain();
        }
        exchangeAll();
        if (corrections == 0) {
          return wrong();
        }
      }
      return Optional.of("it does not end");
    }

    private void open(String name, MemoryStore store) throws PolicyException {
      stores.put(name, store);
      Node node =
          Node.open(
              store,
              NodeConfig.DEFAULT
                  .withName(name)
                  .withIncarnations(() -> ++incarnations)
                  .onCallersThread());
      nodes.put(name, node);
      if (node.policyTypes("main").isEmpty()) {
        node.putPolicy(
                "main", "type: t\ndefault: last-writer-wins\nfields: {n: {cell: counter}}\n", "op")
            .join();
      }
    }

    private Node node(String name) {
      Node node = nodes.get(name);
      if (node == null) {
        throw new IllegalArgumentException(name);
      }
      return node;
    }

    private MemoryStore store(String name) {
      MemoryStore store = stores.get(name);
      if (store == null) {
        throw new IllegalArgumentException(name);
      }
      return store;
    }

    private String any() {
      return List.copyOf(nodes.keySet()).get(random.nextInt(nodes.size()));
    }

    private void step() throws PolicyException {
      switch (random.nextInt(12)) {
        case 0 -> {
          String name = any();
          snapshots.put(name, copy(store(name)));
        }
        case 1 -> putBack(any());
        case 2, 3, 4 -> pull(any(), any());
        default -> write(any());
      }
    }

    private void write(String at) {
      String author = "w" + writes++;
      long by = random.nextInt(3) == 0 ? 1 + random.nextInt(9) : 0;
      Edit edit =
          by > 0
              ? new Edit.Operations(List.of(new Edit.Operation.Increment(Path.of("n"), by)))
              : new Edit.MergePatch(JsonObject.of("v", Json.of(author)));
      RecordKey key = new RecordKey("main", "t", "r" + random.nextInt(3));
      Seen seen = random.nextInt(4) == 0 ? new Seen.Nothing() : new Seen.Everything();
      Outcome outcome = node(at).write(WriteRequest.of(key, edit, seen, author)).join();
      if (outcome instanceof Outcome.Accepted) {
        alive.put(author, by);
      }
    }

    private void putBack(String name) throws PolicyException {
      MemoryStore earlier = snapshots.remove(name);
      if (earlier != null) {
        open(name, earlier);
        Set<String> left = new TreeSet<>();
        stores.values().forEach(store -> left.addAll(authors(store)));
        alive.keySet().retainAll(left);
      }
    }

    private void pull(String to, String from) throws PolicyException {
      if (to.equals(from)) {
        return;
      }
      Node node = node(to);
      Node other = node(from);
      try {
        node.take(other.ship(node.cursor(other.id()), node.known(), 1 << 24)).join();
      } catch (CompletionException e) {
        assertThat(node.failure()).isPresent();
        open(to, store(to));
      }
    }

    private void exchangeAll() throws PolicyException {
      for (int round = 0; round < 3; round++) {
        nodes.values().forEach(node -> node.proceed().join());
        for (String to : List.copyOf(nodes.keySet())) {
          for (String from : List.copyOf(nodes.keySet())) {
            pull(to, from);
          }
        }
      }
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

    private int mend(String name) throws Exception {
      List<Correction> corrections = new ArrayList<>();
      for (VersionMending.Disputed disputed : mending(name).disputed()) {
        disputed.correction().ifPresent(corrections::add);
      }
      if (corrections.isEmpty() || node(name).mending().isPending()) {
        return corrections.size();
      }
      assertThat(node(name).mending().begin(corrections)).isCompletedExceptionally();
      assertThat(node(name).failure()).isPresent();
      MemoryStore store = store(name);
      if (drops) {
        drop(store);
      }
      if (random.nextInt(3) == 0) {
        // What the first start does is lost with a power cut.
        open(name, copy(store));
      }
      open(name, store);
      return corrections.size();
    }

    /** The planted bug. */
    private static void drop(Store store) {
      Batch batch = new Batch();
      store.scan(
          Table.META,
          Keys.of("mending", "lost"),
          (key, _) -> {
            batch.delete(Table.META, key);
            return true;
          });
      store.commit(batch);
    }

    private Optional<String> wrong() {
      nodes.values().forEach(each -> alive.keySet().removeAll(keptAside(each)));
      long total = alive.values().stream().mapToLong(Long::longValue).sum();
      Node first = nodes.values().iterator().next();
      for (Map.Entry<String, Node> each : nodes.entrySet()) {
        Node node = each.getValue();
        Set<String> lost = new TreeSet<>(alive.keySet());
        lost.removeAll(authors(store(each.getKey())));
        if (!lost.isEmpty()) {
          return Optional.of(each.getKey() + " has lost " + lost + held());
        }
        if (node.held() > 0 || node.mending().isPending()) {
          return Optional.of(each.getKey() + " holds back " + held());
        }
        if (!node.digest().buckets().equals(first.digest().buckets())) {
          return Optional.of(each.getKey() + " differs");
        }
        if (counted(node) != total) {
          return Optional.of(each.getKey() + " counts " + counted(node) + " of " + total);
        }
        Optional<String> unproven = node.verify(_ -> {}).broken();
        if (unproven.isPresent()) {
          return unproven;
        }
      }
      return Optional.empty();
    }

    /** What waits at each node, and what each holds of the authors of that. */
    private String held() {
      StringBuilder all = new StringBuilder();
      stores.forEach((name, store) -> {
        all.append('\n').append(name).append(" knows ").append(node(name).known());
        store.scan(
            Table.LOG,
            new byte[0],
            (_, bytes) -> all.append("\n  ").append(described(bytes)).length() > 0);
        store.scan(
            Table.HELD,
            new byte[0],
            (_, stored) -> all.append("\n  waits: ").append(described(held(stored))).length() > 0);
      });
      return all.toString();
    }

    /** A version that waits, without when it came and who sent it. */
    private static byte[] held(byte[] stored) {
      ByteReader in = new ByteReader(stored);
      var _ = in.u64();
      var _ = in.text();
      return in.rest();
    }

    private static String described(byte[] bytes) {
      Version version = VersionCodec.fromBytes(bytes);
      return version.dot()
          + " "
          + version.author()
          + " of "
          + version.key().id()
          + " after "
          + version.previous()
          + " "
          + version.context();
    }

    /** The authors of versions that a node could only keep in its audit log, with an alert. */
    private static Set<String> keptAside(Node node) {
      Set<String> authors = new TreeSet<>();
      for (AuditEntry entry : node.audit("main", Long.MAX_VALUE, 10_000)) {
        if (entry.action().equals("violation")
            && entry.detail() instanceof JsonObject detail
            && detail.get("why") instanceof JsonString(String why)
            && why.contains("waited here")
            && detail.get("bytes") instanceof JsonString(String hex)) {
          authors.add(VersionCodec.fromBytes(HexFormat.of().parseHex(hex)).author());
        }
      }
      return authors;
    }

    private static long counted(Node node) {
      long sum = 0;
      for (int i = 0; i < 3; i++) {
        Json data = node.read(new RecordKey("main", "t", "r" + i)).view().data();
        sum +=
            data instanceof JsonObject object && object.get("n") instanceof JsonNumber number
                ? number.longValue()
                : 0;
      }
      return sum;
    }

    /** The authors of all versions in a store. */
    private static Set<String> authors(Store store) {
      Set<String> authors = new TreeSet<>();
      store.scan(
          Table.LOG,
          new byte[0],
          (_, version) -> {
            authors.add(VersionCodec.fromBytes(version).author());
            return true;
          });
      store.scan(
          Table.HELD,
          new byte[0],
          (_, stored) -> {
            byte[] version = held(stored);
            authors.add(VersionCodec.fromBytes(version).author());
            return true;
          });
      return authors;
    }

    private static MemoryStore copy(MemoryStore store) {
      MemoryStore copy = new MemoryStore();
      Batch batch = new Batch();
      store.copy((table, key, value) -> batch.put(table, key, value));
      copy.commit(batch);
      return copy;
    }
  }
}
