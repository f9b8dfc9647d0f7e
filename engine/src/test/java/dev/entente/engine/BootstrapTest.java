// SPDX-License-Identifier: Apache-2.0
package dev.entente.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.entente.core.causality.Dot;
import dev.entente.core.causality.VersionVector;
import dev.entente.core.codec.ByteWriter;
import dev.entente.core.codec.StateCodec;
import dev.entente.core.codec.VersionCodec;
import dev.entente.core.edit.Edit;
import dev.entente.core.json.Json;
import dev.entente.core.json.JsonObject;
import dev.entente.core.record.Change;
import dev.entente.core.record.RecordKey;
import dev.entente.core.record.Unit;
import dev.entente.core.record.Version;
import dev.entente.engine.WriteRequest.Seen;
import dev.entente.engine.codec.Keys;
import dev.entente.engine.store.Batch;
import dev.entente.engine.store.MemoryStore;
import dev.entente.engine.store.RocksStore;
import dev.entente.engine.store.Store;
import dev.entente.engine.store.Table;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.zip.GZIPInputStream;
import java.util.zip.ZipException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A new node begins with a copy of another, and goes on as itself. */
class BootstrapTest {
  private static final int RECORDS = 20;

  @TempDir Path folder;
  private final List<Node> opened = new ArrayList<>();
  private final Node eu = open(new MemoryStore(), "eu");
  private final Node us = open(new MemoryStore(), "us");

  private Node open(Store store, String name) {
    Node node = Node.open(store, config(name));
    opened.add(node);
    return node;
  }

  private static NodeConfig config(String name) {
    return NodeConfig.DEFAULT.withName(name);
  }

  @BeforeEach
  void write() {
    for (int i = 0; i < RECORDS; i++) {
      put(eu, i, "eu");
      put(us, i, "us");
    }
    pull(us, eu);
    pull(eu, us);
    put(eu, 3, "settled");
  }

  @AfterEach
  void close() {
    opened.forEach(Node::close);
  }

  private static RecordKey key(int i) {
    return new RecordKey("main", "user", "r" + i);
  }

  private static void put(Node node, int record, String value) {
    Edit edit = new Edit.Put(JsonObject.of("v", Json.of(value)));
    Seen read = new Seen.Context(node.read(key(record)).state().context());
    node.write(WriteRequest.of(key(record), edit, read, "ann")).join();
  }

  private static int pull(Node from, Node to) {
    return to.take(from.ship(to.cursor(from.id()), to.known(), 1 << 20)).join().applied();
  }

  private static byte[] copied(Node node) throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    node.copyTo(out);
    return out.toByteArray();
  }

  private Node begun(byte[] copy) throws IOException {
    Store store = RocksStore.open(folder.resolve("asia"));
    Bootstrap.Copied copied =
        Bootstrap.read(new ByteArrayInputStream(copy), store, config("asia"), _ -> {});
    assertThat(copied.from()).isEqualTo(eu.id());
    assertThat(copied.position()).isBetween(1L, eu.position());
    return open(store, "asia");
  }

  private static void same(Node one, Node other) {
    for (int i = 0; i < RECORDS; i++) {
      assertThat(StateCodec.toBytes(one.read(key(i)).state()))
          .as("record %s", i)
          .isEqualTo(StateCodec.toBytes(other.read(key(i)).state()));
      assertThat(one.read(key(i)).view()).isEqualTo(other.read(key(i)).view());
      assertThat(one.history(key(i), Long.MAX_VALUE, 10))
          .extracting(Logged::version)
          .containsExactlyInAnyOrderElementsOf(
              other.history(key(i), Long.MAX_VALUE, 10).stream().map(Logged::version).toList());
    }
    assertThat(one.reviews("main", Review.Status.PENDING, Optional.empty(), 100))
        .hasSameSizeAs(other.reviews("main", Review.Status.PENDING, Optional.empty(), 100));
  }

  @Test
  void aNewNodeHasAllThatTheOtherHadAndTakesOnlyWhatCameSince() throws IOException {
    byte[] copy = copied(eu);
    put(eu, 4, "since");
    Node asia = begun(copy);
    assertThat(asia.id().value()).isEqualTo("asia.1");
    assertThat(pull(eu, asia)).as("only what came since").isEqualTo(1);
    assertThat(pull(us, asia)).isZero();
    same(eu, asia);
    assertThat(asia.verify(_ -> {}).broken()).isEmpty();
  }

  @Test
  void itGoesOnAsItselfAndOthersTakeWhatItWrites() throws IOException {
    Node asia = begun(copied(eu));
    put(asia, 5, "asia");
    put(asia, 25, "new");
    put(eu, 5, "at the same time");
    assertThat(pull(asia, us)).isPositive();
    assertThat(pull(us, eu)).as("through another").isEqualTo(2);
    assertThat(pull(eu, asia)).isEqualTo(1);
    assertThat(pull(eu, us)).isPositive();
    same(eu, asia);
    same(us, asia);
    assertThat(us.read(key(25)).view().exists()).isTrue();
    VersionVector known = asia.known();
    assertThat(known.get(asia.id())).isEqualTo(asia.position());
    assertThat(asia.verify(_ -> {}).broken()).isEmpty();
  }

  @Test
  void aCopyThatIsCutOrChangedIsRefusedAndBelongsToNobody() throws IOException {
    byte[] copy = copied(eu);
    for (int length : List.of(0, 5, copy.length / 2, copy.length - 9, copy.length - 1)) {
      refused(Arrays.copyOf(copy, length), "cut at " + length);
    }
    for (int at = 20; at < copy.length; at += copy.length / 40) {
      byte[] changed = copy.clone();
      changed[at] ^= 0x10;
      if (!holdTheSame(copy, changed)) {
        refused(changed, "changed at " + at);
      }
    }
    refused("entente".getBytes(java.nio.charset.StandardCharsets.UTF_8), "something else");
  }

  /** Whether only bits differ that compression leaves unused, such as those that fill a byte. */
  private static boolean holdTheSame(byte[] copy, byte[] changed) throws IOException {
    try (var one = new GZIPInputStream(new ByteArrayInputStream(copy));
        var other = new GZIPInputStream(new ByteArrayInputStream(changed))) {
      return Arrays.equals(one.readAllBytes(), other.readAllBytes());
    } catch (EOFException | ZipException e) {
      return false;
    }
  }

  private static void refused(byte[] copy, String what) {
    MemoryStore store = new MemoryStore();
    assertThatThrownBy(
            () -> Bootstrap.read(new ByteArrayInputStream(copy), store, config("asia"), _ -> {}))
        .as(what)
        .isInstanceOf(IOException.class);
    assertThat(Incarnations.of(store)).as(what).isNull();
    if (store.get(Table.META, Node.FORMAT) != null) {
      assertThatThrownBy(() -> Node.open(store, config("asia")))
          .as(what)
          .hasMessageContaining("not finished; empty the store");
    }
  }

  /** Intact copies and backups of a node that was taken over. */
  @Test
  void versionsThatNoNodeAcceptsAreRefusedInCopiesAndBackups() throws IOException {
    Version honest = eu.history(key(1), Long.MAX_VALUE, 1).getFirst().version();
    Version.Builder builder = Version.builder(new Dot(eu.id(), 999), honest.key()).author("ann");
    builder.acceptedAt(honest.acceptedAt());
    builder.changes(List.of(new Change.Assign(Unit.ALIVE, Json.of(true), List.of())));
    byte[] root = VersionCodec.toBytes(builder.build());
    byte[] author = VersionCodec.toBytes(honest.toBuilder().author("a\nb").build());
    byte[] whole = VersionCodec.toBytes(honest);
    byte[] trailing = Arrays.copyOf(whole, whole.length + 1);
    byte[] held = new ByteWriter().u64(7).raw(root).toBytes();
    byte[] place = Keys.with(Keys.of("main"), 999);
    for (Batch.Entry row :
        List.of(
            new Batch.Entry(Table.LOG, place, root),
            new Batch.Entry(Table.LOG, place, author),
            new Batch.Entry(Table.LOG, place, trailing),
            new Batch.Entry(Table.LOG, place, new byte[] {1, 2, 3}),
            new Batch.Entry(Table.LOG, Keys.with(Keys.of("other"), 999), whole),
            new Batch.Entry(
                Table.HELD, Keys.with(Keys.of("main", "user", "r1", "x.1"), 1), held))) {
      MemoryStore store = new MemoryStore();
      Bootstrap.Copied _ =
          Bootstrap.read(new ByteArrayInputStream(copied(eu)), store, config("asia"), _ -> {});
      Batch batch = new Batch();
      batch.put(row.table(), row.key(), Objects.requireNonNull(row.value()));
      store.commit(batch);
      ByteArrayOutputStream out = new ByteArrayOutputStream();
      Bootstrap.write(store, out);
      String what = row.table() + " " + Arrays.toString(row.key());
      refused(out.toByteArray(), what);
      assertThatThrownBy(
              () -> Bootstrap.check(new ByteArrayInputStream(out.toByteArray()), _ -> {}))
          .as(what)
          .hasMessageContaining("no node accepts");
      assertThatThrownBy(() ->
              Bootstrap.restore(
                  new ByteArrayInputStream(out.toByteArray()),
                  new MemoryStore(),
                  config("asia").withFreshIncarnation(),
                  _ -> {}))
          .as(what)
          .hasMessageContaining("no node accepts");
    }
  }

  @Test
  void aCopyUnderTheSameNameIsRefused() throws IOException {
    byte[] copy = copied(eu);
    assertThatThrownBy(() ->
            Bootstrap.read(
                new ByteArrayInputStream(copy), new MemoryStore(), config("eu"), _ -> {}))
        .hasMessageContaining("calls itself eu.1 too");
  }
}
