// SPDX-License-Identifier: Apache-2.0
package dev.entente.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.entente.core.causality.NodeId;
import dev.entente.core.causality.VersionVector;
import dev.entente.core.codec.StateCodec;
import dev.entente.core.crdt.Splice;
import dev.entente.core.edit.Edit;
import dev.entente.core.edit.Edit.Operation;
import dev.entente.core.json.Json;
import dev.entente.core.json.JsonObject;
import dev.entente.core.json.Path;
import dev.entente.core.policy.PolicyProblem.PolicyException;
import dev.entente.core.record.RecordKey;
import dev.entente.engine.Erasure.Stage;
import dev.entente.engine.WriteRequest.Seen;
import dev.entente.engine.codec.AuditCodec;
import dev.entente.engine.codec.Keys;
import dev.entente.engine.store.Batch;
import dev.entente.engine.store.MemoryStore;
import dev.entente.engine.store.RocksStore;
import dev.entente.engine.store.Store;
import dev.entente.engine.store.Table;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Stream;
import java.util.zip.GZIPInputStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What somebody asks to be forgotten is nowhere any more, and the audit chain still holds. */
class ErasureTest {
  private static final String SECRET = "Rosalind Sharp-Quillon";
  private static final RecordKey PATIENT = new RecordKey("main", "t", "p7");
  private static final RecordKey OTHER = new RecordKey("main", "t", "p8");
  private final AtomicLong now = new AtomicLong(1_763_802_000_000L);
  private final List<Node> opened = new ArrayList<>();
  private final List<Store> stores = List.of(new MemoryStore(), new MemoryStore());
  private final Node left = open(stores.get(0), "left");
  private final Node right = open(stores.get(1), "right");
  private final List<NodeId> members = List.of(left.id(), right.id());

  private Node open(Store to, String name) {
    Node node = Node.open(to, NodeConfig.DEFAULT.withName(name).withClock(now::get));
    opened.add(node);
    return node;
  }

  @BeforeEach
  void declare() throws PolicyException {
    declare(left);
    declare(right);
  }

  private static void declare(Node node) throws PolicyException {
    node.putPolicy(
            "main",
            """
            type: t
            default: last-writer-wins
            deletes: manual-review
            fields:
              tags: {cell: set}
              gone: {cell: remove-wins-set}
              body: {cell: text}
              list: {cell: list}
              n: {cell: counter}
              owner: {strategy: manual-review}
            groups:
              address: {fields: [street, town]}
              life: {fields: [state], strategy: state-machine, states: {new: [open], open: []}}
            """,
            "op")
        .join();
  }

  @AfterEach
  void close() {
    opened.forEach(Node::close);
  }

  private Outcome write(Node at, Edit edit) {
    return write(at, PATIENT, edit, new Seen.Everything());
  }

  private Outcome write(Node at, RecordKey key, Edit edit, Seen seen) {
    now.addAndGet(1_000);
    return at.write(WriteRequest.of(key, edit, seen, "ann")).join();
  }

  private static Edit patch(Map<String, ?> members) {
    return new Edit.MergePatch(Json.of(members));
  }

  private void erase(Node at) {
    now.addAndGet(1_000);
    for (WriteRequest request : at.erasures().requests(PATIENT, "officer", "request 12")) {
      assertThat(at.write(request).join()).isInstanceOf(Outcome.Accepted.class);
    }
  }

  private static void pull(Node from, Node to) {
    to.take(from.ship(to.cursor(from.id()), to.known(), 1 << 20)).join();
  }

  private void meet() {
    meet(opened);
  }

  private static void meet(List<Node> nodes) {
    for (int twice = 0; twice < 2; twice++) {
      for (Node from : nodes) {
        nodes.stream().filter(to -> to != from).forEach(to -> pull(from, to));
      }
      nodes.forEach(node -> new Retention(node, 30).tell(nodes.stream().map(Node::id).toList()));
    }
    for (Node from : nodes) {
      nodes.stream().filter(to -> to != from).forEach(to -> pull(from, to));
    }
  }

  private List<RecordKey> carryOut(Node at) {
    return at.erasures().carryOut(new Retention(at, 30).stable(members), members);
  }

  private Stage stage(Node at) {
    return at.erasures().of(PATIENT, new Retention(at, 30).stable(members)).orElseThrow().stage();
  }

  /** Everything that is told of a person, in every kind of cell, with a conflict and its review. */
  private void tellAll(Node at) {
    write(at, new Edit.Put((JsonObject) Json.of(Map.of("name", SECRET, "state", "new", "n", 3))));
    VersionVector agreed = at.read(PATIENT).state().context();
    write(at, patch(Map.of("street", SECRET + " Street 1", "town", SECRET)));
    write(at, patch(Map.of("tags", List.of(SECRET), "gone", List.of(SECRET))));
    write(at, patch(Map.of("gone", List.of())));
    write(at, patch(Map.of("body", "Dear " + SECRET, "list", List.of(SECRET, 1))));
    write(
        at,
        new Edit.Operations(
            List.of(new Operation.Splice(Path.of("body"), new Splice(0, 5, Json.of(""))))));
    write(at, patch(Map.of("deep", Map.of("mother", Map.of("name", SECRET)))));
    write(at, PATIENT, patch(Map.of("owner", SECRET + " one")), new Seen.Context(agreed));
    write(at, PATIENT, patch(Map.of("owner", SECRET + " two")), new Seen.Context(agreed));
    Outcome refused = write(at, patch(Map.of("state", SECRET)));
    assertThat(refused).as("kept in the audit log").isInstanceOf(Outcome.Rejected.class);
    Review review = at.reviews("main", Review.Status.PENDING, Optional.empty(), 10).getFirst();
    new Desk(at).note(review, SECRET + " called", "bob").join();
  }

  private static int occurrences(Store store) {
    int[] found = {0};
    for (Table table : Table.values()) {
      store.scan(
          table,
          new byte[0],
          (key, value) -> {
            found[0] += holds(key) || holds(value) ? 1 : 0;
            return true;
          });
    }
    return found[0];
  }

  private static boolean holds(byte[] bytes) {
    // Byte by byte, so that any encoding of the text as it is would show.
    return new String(bytes, StandardCharsets.ISO_8859_1).contains(SECRET);
  }

  @Test
  void nothingOfItIsLeftAtAnyNodeOnceAllHaveHeardOfIt() throws IOException {
    tellAll(left);
    write(left, OTHER, patch(Map.of("name", "somebody else")), new Seen.Everything());
    meet();
    assertThat(stores).allSatisfy(store -> assertThat(occurrences(store)).isGreaterThan(10));
    erase(left);
    assertThat(left.read(PATIENT).view().exists()).isFalse();
    assertThat(carryOut(left)).as("the other node may not know yet").isEmpty();
    assertThat(stage(left)).isEqualTo(Stage.WAITING);
    meet();
    assertThat(stage(left)).isEqualTo(Stage.DUE);
    for (Node node : List.of(left, right)) {
      String before = states(node);
      assertThat(carryOut(node)).contains(PATIENT);
      assertThat(stage(node)).isEqualTo(Stage.DONE);
      assertThat(states(node)).as("states stay what they were").isEqualTo(before);
      assertThat(node.verify(_ -> {}).broken()).isEmpty();
      assertThat(carryOut(node)).as("a second time").isEmpty();
    }
    assertThat(states(left)).isEqualTo(states(right));
    for (Store store : stores) {
      assertThat(occurrences(store)).isZero();
      assertThat(Reconstruction.check(store, _ -> {}).wrong()).isZero();
    }
    ByteArrayOutputStream backup = new ByteArrayOutputStream();
    left.copyTo(backup);
    try (GZIPInputStream in = new GZIPInputStream(new ByteArrayInputStream(backup.toByteArray()))) {
      assertThat(holds(in.readAllBytes())).as("a backup made since").isFalse();
    }
    assertThat(left.read(OTHER).view().data()).isEqualTo(Json.of(Map.of("name", "somebody else")));
    assertThat(left.history(PATIENT, Long.MAX_VALUE, 10)).hasSize(1);
    assertThat(left.reviewsOf(PATIENT)).isEmpty();
    assertThat(left.countReviews("main", Review.Status.PENDING)).isZero();
    Erasure erasure =
        left.erasures().of("main", VersionVector.EMPTY, Optional.empty(), 10).getFirst();
    assertThat(erasure.by()).isEqualTo("officer");
    assertThat(erasure.reason()).isEqualTo("request 12");
  }

  @Test
  void theAuditLogStillSaysWhenSomethingHappenedButNotWhat() {
    tellAll(left);
    long before = left.auditHead().sequence();
    AuditHead head = left.auditHead();
    erase(left);
    meet();
    carryOut(left);
    List<AuditEntry> entries = left.audit("main", before + 1, 1_000);
    assertThat(entries)
        .anySatisfy(entry -> {
          assertThat(entry.action()).isEqualTo("rejected");
          assertThat(entry.subject()).isEmpty();
          assertThat(entry.detail()).isEqualTo(JsonObject.of("erased", Json.of(true)));
        });
    assertThat(left.auditHead(before)).as("an anchor that somebody kept").contains(head);
    assertThat(left.audit("main", Long.MAX_VALUE, 1_000))
        .anySatisfy(entry -> assertThat(entry.action()).isEqualTo("erase"));
    assertThat(left.verify(_ -> {}).broken()).isEmpty();
  }

  @Test
  void whoeverErasesByHandIsFoundOut() {
    tellAll(left);
    erase(left);
    meet();
    carryOut(left);
    write(left, OTHER, patch(Map.of("paid", 1)), new Seen.Everything());
    write(left, OTHER, patch(Map.of("paid", 2)), new Seen.Everything());
    long sequence = left.auditHead().sequence() - 1;
    byte[] stored = stores.getFirst().get(Table.AUDIT, Keys.of(sequence));
    Batch batch = new Batch();
    batch.put(Table.AUDIT, Keys.of(sequence), AuditCodec.erased(stored));
    stores.getFirst().commit(batch);
    assertThat(left.verify(_ -> {}).broken())
        .hasValueSatisfying(broken -> assertThat(broken).contains("audit entries are erased"));
  }

  @Test
  void whoHadReadWhatWasErasedDoesNotBringItBack() {
    tellAll(left);
    VersionVector read = left.read(PATIENT).state().context();
    Instant then = Instant.ofEpochMilli(now.get());
    erase(left);
    meet();
    for (int twice = 0; twice < 2; twice++) {
      for (Seen seen : List.of(new Seen.Context(read), new Seen.Nothing())) {
        Outcome late = write(right, PATIENT, patch(Map.of("name", SECRET)), seen);
        assertThat(late).isInstanceOf(Outcome.Rejected.class);
        assertThat(((Outcome.Rejected) late).code()).isEqualTo(Outcome.Code.GONE);
      }
      assertThatThrownBy(() -> right.readThrough(PATIENT, read))
          .isInstanceOf(PrunedException.class);
      assertThatThrownBy(() -> right.readAt(PATIENT, then)).isInstanceOf(PrunedException.class);
      assertThat(right.history(PATIENT, Long.MAX_VALUE, 10)).hasSize(1);
      carryOut(left);
      carryOut(right);
    }
    assertThat(stores).allSatisfy(store -> assertThat(occurrences(store)).isZero());
    write(right, patch(Map.of("name", "a new one", "body", "hello", "n", 1)));
    meet();
    assertThat(members(left))
        .as("what the record holds from now on")
        .containsEntry("name", Json.of("a new one"))
        .containsEntry("body", Json.of("hello"))
        .containsEntry("n", Json.of(1))
        .doesNotContainKey("tags");
    assertThat(left.verify(_ -> {}).broken()).isEmpty();
  }

  @Test
  void whatWasWrittenMeanwhileElsewhereIsErasedToo() {
    tellAll(left);
    meet();
    write(right, patch(Map.of("name", SECRET + " the second", "body", "of " + SECRET)));
    erase(left);
    meet();
    assertThat(left.read(PATIENT).view().data().isAbsent()).as("what all agree on").isTrue();
    assertThat(left.read(PATIENT).view().resolutions().toString()).contains(SECRET);
    assertThat(stage(left)).isEqualTo(Stage.OVERTAKEN);
    assertThat(carryOut(right)).as("it is for the node that erased").doesNotContain(PATIENT);
    assertThat(carryOut(left)).doesNotContain(PATIENT);
    meet();
    assertThat(carryOut(left)).contains(PATIENT);
    assertThat(carryOut(right)).contains(PATIENT);
    assertThat(stores).allSatisfy(store -> assertThat(occurrences(store)).isZero());
    assertThat(states(left)).isEqualTo(states(right));
  }

  @Test
  void twoWhoEraseAtOnceComeToOneEnd() {
    tellAll(left);
    meet();
    erase(left);
    erase(right);
    for (int round = 0; round < 3; round++) {
      meet();
      carryOut(left);
      carryOut(right);
    }
    assertThat(stage(left)).isEqualTo(Stage.DONE);
    assertThat(stage(right)).isEqualTo(Stage.DONE);
    assertThat(stores).allSatisfy(store -> assertThat(occurrences(store)).isZero());
  }

  /** Each order in which the three came left the nodes with another one to wait for. */
  @Test
  void threeWhoEraseAtOnceComeToOneEndInWhateverOrderTheyHear() throws PolicyException {
    Store third = new MemoryStore();
    Node a = open(third, "a");
    declare(a);
    List<NodeId> all = List.of(left.id(), right.id(), a.id());
    tellAll(left);
    meet();
    erase(right);
    pull(right, a);
    erase(left);
    erase(a);
    pull(a, right);
    pull(left, a);
    pull(left, right);
    pull(right, left);
    for (int round = 0; round < 4; round++) {
      meet();
      opened.forEach(at -> at.erasures().carryOut(new Retention(at, 30).stable(all), all));
    }
    opened.forEach(at -> assertThat(at.erasures().pending()).isEmpty());
    for (Store store : List.of(stores.get(0), stores.get(1), third)) {
      assertThat(occurrences(store)).isZero();
    }
  }

  @Test
  void whereTheNodeThatErasedHasLeftAnotherDoesSoOnceMore() {
    tellAll(left);
    meet();
    write(right, patch(Map.of("name", SECRET + " the second")));
    erase(left);
    meet();
    List<NodeId> rest = List.of(right.id());
    assertThat(right.erasures().carryOut(right.known(), rest)).doesNotContain(PATIENT);
    assertThat(right.erasures().carryOut(right.known(), rest)).contains(PATIENT);
    assertThat(occurrences(stores.get(1))).isZero();
  }

  @Test
  void whatWaitsForAPersonSinceIsLeftAlone() {
    tellAll(left);
    erase(left);
    write(left, patch(Map.of("owner", "nobody yet")));
    VersionVector agreed = left.read(PATIENT).state().context();
    write(left, PATIENT, patch(Map.of("owner", "one")), new Seen.Context(agreed));
    write(left, PATIENT, patch(Map.of("owner", "two")), new Seen.Context(agreed));
    meet();
    assertThat(carryOut(left)).contains(PATIENT);
    assertThat(left.reviews("main", Review.Status.PENDING, Optional.empty(), 10)).hasSize(1);
    assertThat(left.countReviews("main", Review.Status.PENDING)).isOne();
    assertThat(occurrences(stores.getFirst())).isZero();
  }

  @Test
  void whatNeverWasCannotBeErased() {
    assertThat(left.write(WriteRequest.erasure(PATIENT, "officer", "none")).join())
        .isInstanceOf(Outcome.Rejected.class);
    write(left, patch(Map.of("name", SECRET)));
    write(left, new Edit.Delete());
    assertThat(left.write(WriteRequest.erasure(PATIENT, "officer", "was deleted")).join())
        .as("what was deleted is still in the history")
        .isInstanceOf(Outcome.Accepted.class);
  }

  @Test
  void whatIsErasedTwiceStillVerifies() {
    for (int round = 0; round < 3; round++) {
      tellAll(left);
      erase(left);
      meet();
      carryOut(left);
      carryOut(right);
    }
    assertThat(left.verify(_ -> {}).broken()).isEmpty();
    assertThat(right.verify(_ -> {}).broken()).isEmpty();
    assertThat(stores).allSatisfy(store -> assertThat(occurrences(store)).isZero());
  }

  @Test
  void itGoesOnAfterARestart() {
    Store store = new MemoryStore();
    Node first = open(store, "alone");
    write(first, patch(Map.of("name", SECRET)));
    erase(first);
    opened.remove(first);
    first.close();
    Node again = open(store, "alone");
    assertThat(again.erasures().pending()).hasSize(1);
    again.erasures().carryOut(again.known(), List.of(again.id()));
    assertThat(occurrences(store)).isZero();
    assertThat(again.verify(_ -> {}).broken()).isEmpty();
  }

  @Test
  void nothingOfItIsLeftOnTheDisk(@TempDir java.nio.file.Path folder) throws IOException {
    Node node = open(RocksStore.open(folder.resolve("store")), "disk");
    write(node, patch(Map.of("name", SECRET)));
    write(node, patch(Map.of("body", SECRET)));
    assertThat(filesThatHold(folder)).isNotEmpty();
    erase(node);
    node.erasures().carryOut(node.known(), List.of(node.id()));
    assertThat(filesThatHold(folder)).isEmpty();
    assertThat(node.verify(_ -> {}).broken()).isEmpty();
  }

  private static List<java.nio.file.Path> filesThatHold(java.nio.file.Path folder)
      throws IOException {
    List<java.nio.file.Path> found = new ArrayList<>();
    try (Stream<java.nio.file.Path> files = Files.walk(folder)) {
      for (java.nio.file.Path file : files.filter(Files::isRegularFile).toList()) {
        if (holds(Files.readAllBytes(file))) {
          found.add(file);
        }
      }
    }
    return found;
  }

  /** Whatever three nodes do at once, in the end all say the same, and nothing of what was. */
  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 67})
  void whateverHappensMeanwhileItIsErasedInTheEnd(long seed) throws PolicyException {
    Random chance = new Random(seed);
    Store third = new MemoryStore();
    Node far = open(third, "far");
    declare(far);
    List<NodeId> all = List.of(left.id(), right.id(), far.id());
    List<VersionVector> seen = new ArrayList<>(List.of(VersionVector.EMPTY));
    for (int i = 0; i < 60; i++) {
      Node at = opened.get(chance.nextInt(3));
      switch (chance.nextInt(12)) {
        case 0 -> opened.stream().filter(from -> from != at).forEach(from -> pull(from, at));
        case 1 -> meet(opened.subList(0, 2));
        case 2 -> {
          if (i > 20 && !at.read(PATIENT).state().isEmpty()) {
            erase(at);
          }
        }
        case 3 -> at.erasures().carryOut(new Retention(at, 30).stable(all), all);
        default -> {
          seen.add(at.read(PATIENT).state().context());
          Seen with =
              chance.nextBoolean()
                  ? new Seen.Everything()
                  : new Seen.Context(seen.get(chance.nextInt(seen.size())));
          write(at, PATIENT, edit(chance), with);
        }
      }
    }
    meet();
    erase(left);
    for (int round = 0; round < 4; round++) {
      meet();
      opened.forEach(at -> at.erasures().carryOut(new Retention(at, 30).stable(all), all));
    }
    TreeSet<String> states = new TreeSet<>();
    for (Node node : opened) {
      states.add(states(node));
      assertThat(node.erasures().pending()).isEmpty();
      assertThat(node.verify(_ -> {}).broken()).isEmpty();
    }
    assertThat(states).hasSize(1);
    for (Store store : List.of(stores.get(0), stores.get(1), third)) {
      assertThat(occurrences(store)).isZero();
      assertThat(Reconstruction.check(store, _ -> {}).wrong()).isZero();
    }
  }

  private static Edit edit(Random chance) {
    String text = SECRET + chance.nextInt(9);
    return switch (chance.nextInt(6)) {
      case 0 -> patch(Map.of("v" + chance.nextInt(3), text));
      case 1 -> patch(Map.of("n", chance.nextInt(9)));
      case 2 ->
          new Edit.Operations(
              List.of(
                  new Operation.EditSet(
                      Path.of(chance.nextBoolean() ? "tags" : "gone"),
                      List.of(Json.of(text)),
                      List.of(Json.of(SECRET + chance.nextInt(9))))));
      case 3 -> patch(Map.of("body", text, "list", List.of(text, text)));
      case 4 -> patch(Map.of("owner", text, "street", text));
      default ->
          new Edit.Operations(
              List.of(new Operation.Splice(Path.of("body"), new Splice(0, 0, Json.of(text)))));
    };
  }

  private static Map<String, Json> members(Node at) {
    Map<String, Json> members = new TreeMap<>();
    ((JsonObject) at.read(PATIENT).view().data()).members().forEach(members::put);
    return members;
  }

  private static String states(Node node) {
    StringBuilder states = new StringBuilder();
    for (RecordKey key : node.records("main", "t", Optional.empty(), 100)) {
      states.append(key.id()).append(' ');
      states.append(HexFormat.of().formatHex(StateCodec.toBytes(node.read(key).state())));
    }
    return states.toString();
  }
}
