// SPDX-License-Identifier: Apache-2.0
package dev.entente.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.entente.core.json.JsonNumber;
import dev.entente.core.record.RecordKey;
import dev.entente.engine.Bootstrap;
import dev.entente.engine.Node;
import dev.entente.engine.NodeConfig;
import dev.entente.engine.Review;
import dev.entente.engine.codec.Keys;
import dev.entente.engine.store.Batch;
import dev.entente.engine.store.MemoryStore;
import dev.entente.engine.store.RocksStore;
import dev.entente.engine.store.Table;
import dev.entente.server.recovery.Checkpoints;
import dev.entente.server.watch.Thresholds;
import dev.entente.server.watch.Watching;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What was is brought back: as new versions, into new directories, and decisions too. */
class RecoveryTest {
  @TempDir Path folder;
  private Served served;

  @AfterEach
  void close() {
    if (served != null) {
      served.close();
    }
  }

  private Served onDisk() {
    Node node =
        Node.open(RocksStore.open(folder.resolve("store")), NodeConfig.DEFAULT.withName("n"));
    served =
        new Served(
            node,
            config ->
                config.watched(
                    new Watching(
                        Thresholds.DEFAULT, Optional.of(folder), Optional.empty(), false)));
    return served;
  }

  private Served inMemory() {
    served = new Served();
    return served;
  }

  private void put(String id, String value) {
    assertThat(
            served.json("PUT", "/v1/main/records/note/" + id, "{\"v\":\"" + value + "\"}").status())
        .isLessThan(300);
  }

  private String value(String id) {
    return served.get("/v1/main/records/note/" + id).body();
  }

  private static String now() throws InterruptedException {
    Thread.sleep(5);
    String now = Instant.now().toString();
    Thread.sleep(5);
    return now;
  }

  /** Waits until a job ends. */
  private Served.Answer ended(Served.Answer begun) throws InterruptedException {
    assertThat(begun.status()).as(begun.body()).isEqualTo(202);
    String path = begun.response().headers().firstValue("location").orElseThrow();
    Served.Answer job = served.get(path);
    for (int i = 0; i < 1_500 && job.text("state").equals("running"); i++) {
      Thread.sleep(20);
      job = served.get(path);
    }
    return job;
  }

  private static long number(Served.Answer answer, String name) {
    return ((JsonNumber) answer.json().get(name)).longValue();
  }

  @Test
  void allRecordsOfATypeGoBackToAMomentAndForthAgain() throws Exception {
    inMemory();
    for (int i = 0; i < 30; i++) {
      put("r" + i, "first");
    }
    served.json("PUT", "/v1/main/records/other/1", "{\"v\":\"first\"}");
    String before = now();
    for (int i = 0; i < 10; i++) {
      put("r" + i, "spoiled");
    }
    served.json("DELETE", "/v1/main/records/note/r20", "");
    put("new", "spoiled");
    served.json("PUT", "/v1/main/records/other/1", "{\"v\":\"kept\"}");
    String spoiled = now();

    String order = "{\"type\":\"note\",\"to\":\"" + before + "\",\"dryRun\":%s}";
    Served.Answer dry = ended(served.json("POST", "/v1/main/restores", order.formatted("true")));
    assertThat(number(dry, "changed")).isEqualTo(12);
    assertThat(dry.body()).contains("note/r3").contains("would change");
    assertThat(value("r3")).contains("spoiled");

    Served.Answer done = ended(served.json("POST", "/v1/main/restores", order.formatted("false")));
    assertThat(done.text("state")).isEqualTo("done");
    assertThat(number(done, "changed")).isEqualTo(12);
    assertThat(number(done, "seen")).isEqualTo(31);
    for (int i = 0; i < 30; i++) {
      assertThat(value("r" + i)).contains("first");
    }
    assertThat(served.get("/v1/main/records/note/new").status()).isEqualTo(404);
    assertThat(served.get("/v1/main/records/other/1").body()).contains("kept");
    assertThat(served.get("/v1/main/records/note/r3/history").body()).contains("spoiled");
    assertThat(served.get("/v1/cluster/audit").body()).contains("\"restore\"");

    ended(
        served.json("POST", "/v1/main/restores", "{\"type\":\"note\",\"to\":\"" + spoiled + "\"}"));
    assertThat(value("r3")).contains("spoiled");
    assertThat(served.get("/v1/main/records/note/r20").status()).isEqualTo(404);
  }

  @Test
  void aRecordIsRebuiltOnARunningNode() {
    MemoryStore store = new MemoryStore();
    served = new Served(Node.open(store, NodeConfig.DEFAULT.withName("n")), config -> config);
    put("a", "first");
    String path = "/v1/main/records/note/a/rebuild";
    assertThat(served.json("POST", path, "{}").body()).isEqualTo("{\"rebuilt\":false}");
    Batch damage = new Batch();
    damage.put(Table.RECORDS, Keys.of(new RecordKey("main", "note", "a")), new byte[] {9});
    store.commit(damage);
    assertThat(served.json("POST", path, "{}").body()).isEqualTo("{\"rebuilt\":true}");
    assertThat(value("a")).contains("first");
    assertThat(served.get("/v1/cluster/audit").body()).contains("\"rebuild\"");
    assertThat(served.json("POST", "/v1/main/records/note/b/rebuild", "{}").status())
        .isEqualTo(404);
  }

  private Served.Answer checkpoint(String body) {
    return served.json("POST", "/v1/main/checkpoints", body);
  }

  @Test
  void checkpointsOfARecordATypeAndATenantBringBackWhatTheyCover() throws Exception {
    inMemory();
    for (String id : List.of("a", "b")) {
      put(id, "first");
    }
    served.json("PUT", "/v1/main/records/other/1", "{\"v\":\"first\"}");
    assertThat(checkpoint("{\"name\":\"record\",\"type\":\"note\",\"id\":\"a\"}").status())
        .isEqualTo(201);
    assertThat(checkpoint("{\"name\":\"type\",\"type\":\"note\"}").status()).isEqualTo(201);
    assertThat(checkpoint("{\"name\":\"all\",\"reason\":\"before the import\"}").status())
        .isEqualTo(201);
    put("c", "new");
    for (String id : List.of("a", "b")) {
      put(id, "spoiled");
    }
    served.json("PUT", "/v1/main/records/other/1", "{\"v\":\"spoiled\"}");
    assertThat(served.get("/v1/main/checkpoints").body())
        .contains("\"scope\":\"record\"", "\"scope\":\"type\"", "before the import");
    assertThat(served.get("/v1/main/checkpoints/type").text("type")).isEqualTo("note");

    String order = "{\"checkpoint\":\"%s\",\"dryRun\":%s}";
    Served.Answer dry =
        ended(served.json("POST", "/v1/main/restores", order.formatted("all", "true")));
    assertThat(number(dry, "changed")).isEqualTo(4);
    assertThat(value("a")).contains("spoiled");
    ended(served.json("POST", "/v1/main/restores", order.formatted("record", "false")));
    assertThat(value("a")).contains("first");
    assertThat(value("b")).contains("spoiled");
    ended(served.json("POST", "/v1/main/restores", order.formatted("type", "false")));
    assertThat(value("b")).contains("first");
    assertThat(served.get("/v1/main/records/note/c").status()).isEqualTo(404);
    assertThat(served.get("/v1/main/records/other/1").body()).contains("spoiled");
    ended(served.json("POST", "/v1/main/restores", order.formatted("all", "false")));
    assertThat(served.get("/v1/main/records/other/1").body()).contains("first");

    assertThat(served.json("DELETE", "/v1/main/checkpoints/all", "").status()).isEqualTo(200);
    assertThat(served.json("POST", "/v1/main/restores", order.formatted("all", "false")).status())
        .isEqualTo(404);
  }

  @Test
  void checkpointsOfNothingAndUnderTakenNamesAreRefused() throws Exception {
    inMemory();
    put("a", "first");
    assertThat(checkpoint("{\"type\":\"nothing\"}").status()).isEqualTo(404);
    assertThat(checkpoint("{\"type\":\"note\",\"id\":\"nobody\"}").status()).isEqualTo(404);
    assertThat(checkpoint("{\"id\":\"a\"}").status()).isEqualTo(422);
    assertThat(checkpoint("{\"scope\":\"note\"}").status()).isEqualTo(422);
    assertThat(checkpoint("{\"name\":\"x\"}").status()).isEqualTo(201);
    assertThat(checkpoint("{\"name\":\"x\"}").status()).isEqualTo(409);
    assertThat(checkpoint("{}").text("name")).startsWith("20");
    for (String and : List.of("\"type\":\"note\"", "\"to\":\"" + now() + "\"")) {
      String body = "{\"checkpoint\":\"x\"," + and + "}";
      assertThat(served.json("POST", "/v1/main/restores", body).status()).isEqualTo(422);
    }
    assertThat(served.json("POST", "/v1/empty/checkpoints", "{}").status()).isEqualTo(404);
  }

  @Test
  void checkpointsOfATypeThatACallerMayNotReadAreNotShown() throws Exception {
    inMemory();
    put("a", "first");
    served.json("PUT", "/v1/main/records/salary/1", "{\"v\":1}");
    checkpoint("{\"name\":\"mine\",\"type\":\"note\"}");
    checkpoint("{\"name\":\"theirs\",\"type\":\"salary\",\"id\":\"1\"}");
    checkpoint("{\"name\":\"everything\"}");
    served.json("PUT", "/v1/cluster/accounts/op", "{\"grants\":[\"operator@main/note\"]}");
    String token = served.json("POST", "/v1/cluster/accounts/op/tokens", "{}").text("token");
    String[] as = {"Authorization", "Bearer " + token};
    assertThat(served.json("GET", "/v1/main/checkpoints", "", as).body())
        .contains("mine")
        .doesNotContain("theirs", "everything", "salary");
    for (String other : List.of("theirs", "everything")) {
      String path = "/v1/main/checkpoints/" + other;
      assertThat(served.json("GET", path, "", as).status()).isEqualTo(404);
      assertThat(served.json("DELETE", path, "", as).status()).isEqualTo(404);
      String restore = "{\"checkpoint\":\"" + other + "\",\"dryRun\":true}";
      assertThat(served.json("POST", "/v1/main/restores", restore, as).status()).isEqualTo(404);
    }
    assertThat(served.json("POST", "/v1/main/checkpoints", "{}", as).status()).isEqualTo(403);
    assertThat(served.json("DELETE", "/v1/main/checkpoints/mine", "", as).status()).isEqualTo(200);
  }

  @Test
  void whoOperatesOneTypeRestoresThatOneOnly() throws Exception {
    inMemory();
    put("r", "first");
    served.json("PUT", "/v1/cluster/accounts/op", "{\"grants\":[\"operator@main/note\"]}");
    String token = served.json("POST", "/v1/cluster/accounts/op/tokens", "{}").text("token");
    String[] as = {"Authorization", "Bearer " + token};
    String body = "{%s\"to\":\"" + now() + "\",\"dryRun\":true}";
    for (String other : List.of("", "\"type\":\"salary\",")) {
      assertThat(served.json("POST", "/v1/main/restores", body.formatted(other), as).status())
          .isEqualTo(403);
    }
    assertThat(
            served
                .json("POST", "/v1/main/restores", body.formatted("\"type\":\"note\","), as)
                .status())
        .isEqualTo(202);
    assertThat(
            served.json("POST", "/v1/main/restores", "{\"to\":\"2999-01-01T00:00:00Z\"}").status())
        .isEqualTo(422);
  }

  @Test
  void aCheckpointOpensAsTheSameNodeUnderItsNextIncarnation() throws Exception {
    onDisk();
    for (int i = 0; i < 50; i++) {
      put("r" + i, "kept");
    }
    Served.Answer taken = served.json("POST", "/v1/cluster/checkpoints", "{}");
    assertThat(taken.status()).as(taken.body()).isEqualTo(201);
    put("r0", "later");
    assertThat(served.get("/v1/cluster/checkpoints").body()).contains(taken.text("name"));
    Path kept = folder.resolve("checkpoints").resolve(taken.text("name"));
    try (Node restored =
        Node.openRestored(RocksStore.open(kept), NodeConfig.DEFAULT.withFreshIncarnation())) {
      assertThat(restored.id().name()).isEqualTo("n");
      assertThat(restored.id()).isNotEqualTo(served.node.id());
      assertThat(restored.verify(_ -> {}).broken()).isEmpty();
      assertThat(restored.position()).isEqualTo(50);
      RecordKey first = new RecordKey("main", "note", "r0");
      assertThat(restored.read(first).view().data().toString()).contains("kept");
    }
  }

  @Test
  void checkpointsAreKeptForAsLongAsIsSaidAndLeftoversGo() throws IOException {
    AtomicLong now = new AtomicLong(1_700_000_000_000L);
    NodeConfig config = NodeConfig.DEFAULT.withName("n").withClock(now::get);
    try (Node node = Node.open(RocksStore.open(folder.resolve("store")), config)) {
      Path kept = folder.resolve("checkpoints");
      Checkpoints checkpoints = new Checkpoints(node, kept, Duration.ofDays(7), 0);
      for (int hour = 0; hour < 10 * 24; hour += 12) {
        checkpoints.turn();
        now.addAndGet(Duration.ofHours(12).toMillis());
      }
      assertThat(checkpoints.list()).hasSize(15);
      Files.createDirectories(kept.resolve("x.unfinished"));
      Files.createDirectories(kept.resolve("y.unfinished.tmp"));
      Files.createDirectories(kept.resolve("mine"));
      checkpoints.prune();
      assertThat(kept.resolve("x.unfinished")).doesNotExist();
      assertThat(kept.resolve("y.unfinished.tmp")).doesNotExist();
      assertThat(kept.resolve("mine")).exists();
    }
  }

  @Test
  void whoTakesABackupStandsInTheAuditLog() throws IOException {
    inMemory();
    assertThat(served.get("/v1/cluster/backup").status()).isEqualTo(200);
    assertThat(served.get("/v1/cluster/audit").body())
        .contains("\"action\":\"backup\"", "\"by\":\"admin\"");
  }

  @Test
  void aBackupIsWholeAndBringsBackTheSameNode() throws IOException {
    inMemory();
    for (int i = 0; i < 40; i++) {
      put("r" + i, "kept");
    }
    served.json("PUT", "/v1/cluster/accounts/ann", "{\"grants\":[\"reader@main\"]}");
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    served.node.copyTo(out);
    byte[] backup = out.toByteArray();
    assertThat(Bootstrap.check(new ByteArrayInputStream(backup), _ -> {}).from())
        .isEqualTo(served.node.id());
    byte[] cut = Arrays.copyOf(backup, backup.length - 3);
    assertThatThrownBy(() -> Bootstrap.check(new ByteArrayInputStream(cut), _ -> {}))
        .isInstanceOf(IOException.class);
    NodeConfig config = NodeConfig.DEFAULT.withFreshIncarnation();
    MemoryStore store = new MemoryStore();
    Bootstrap.restore(new ByteArrayInputStream(backup), store, config, _ -> {});
    try (Node restored = Node.open(store, config)) {
      assertThat(restored.id().name()).isEqualTo("n");
      assertThat(restored.id()).isNotEqualTo(served.node.id());
      assertThat(restored.verify(_ -> {}).broken()).isEmpty();
      assertThat(restored.records("main", "note", Optional.empty(), 100)).hasSize(40);
      // It goes on where it was, and what the other wrote since comes back.
      put("r0", "since");
      assertThat(
              restored
                  .take(
                      served.node.ship(
                          restored.cursor(served.node.id()), restored.known(), 1 << 20))
                  .join()
                  .applied())
          .isEqualTo(1);
      assertThat(restored.read(new RecordKey("main", "note", "r0")).view().data().toString())
          .contains("since");
    }
  }

  private void clash(String id) {
    String path = "/v1/main/records/note/" + id;
    served.json("PUT", path, "{\"v\":0,\"other\":\"x\"}");
    String context = served.get(path).text("context");
    for (int i = 1; i < 3; i++) {
      served.send(
          "PATCH",
          path,
          ("{\"v\":" + i + "}").getBytes(java.nio.charset.StandardCharsets.UTF_8),
          Map.of("Content-Type", "application/merge-patch+json", "Entente-Context", context));
    }
  }

  private long pending() {
    return served.node.countReviews("main", Review.Status.PENDING);
  }

  @Test
  void decisionsOfWholeRecordsAndIgnoredReviewsAreTakenBackToo() throws Exception {
    inMemory();
    String policy =
        """
        type: note
        default: manual-review
        fields: {used: sum-of-changes}
        invariants: [{name: fits, check: '!has(data.used) || data.used <= 8', severity: high}]
        """;
    served.send(
        "PUT",
        "/v1/main/policies/note",
        policy.getBytes(java.nio.charset.StandardCharsets.UTF_8),
        Map.of("Content-Type", "application/yaml"));
    String path = "/v1/main/records/note/whole";
    served.json("PUT", path, "{\"used\":4,\"k\":0}");
    String context = served.get(path).text("context");
    for (String edit : List.of("{\"used\":8,\"k\":1}", "{\"used\":7,\"m\":1}")) {
      served.send(
          "PATCH",
          path,
          edit.getBytes(java.nio.charset.StandardCharsets.UTF_8),
          Map.of("Content-Type", "application/merge-patch+json", "Entente-Context", context));
    }
    clash("field");
    for (String choice : List.of("\"choose\":0", "\"ignore\":true")) {
      assertThat(pending()).isEqualTo(2);
      Served.Answer done =
          ended(
              served.json(
                  "POST",
                  "/v1/main/reviews/decisions",
                  "{\"filter\":{\"type\":\"note\"}," + choice + ",\"background\":true}"));
      assertThat(number(done, "changed")).as(done.body()).isEqualTo(2);
      assertThat(pending()).isZero();
      Served.Answer undone =
          ended(served.json("POST", "/v1/main/jobs/" + done.text("id") + "/undo", "{}"));
      assertThat(number(undone, "changed")).as(undone.body()).isEqualTo(2);
      assertThat(pending()).isEqualTo(2);
      assertThat(value("whole")).contains("\"used\":4");
      assertThat(served.get("/v1/main/reviews").body()).contains("\"used\":8", "\"used\":7");
    }
  }

  @Test
  void manyReviewsAreDecidedByARuleAndTakenBack() throws Exception {
    inMemory();
    for (int i = 0; i < 25; i++) {
      clash("r" + i);
    }
    assertThat(pending()).isEqualTo(25);
    String order =
        "{\"filter\":{\"type\":\"note\"},\"rule\":\"%s\",\"background\":true,\"dryRun\":%s}";
    Served.Answer dry =
        ended(
            served.json(
                "POST", "/v1/main/reviews/decisions", order.formatted("highest-value", "true")));
    assertThat(number(dry, "changed")).isEqualTo(25);
    assertThat(pending()).isEqualTo(25);

    Served.Answer done =
        ended(
            served.json(
                "POST", "/v1/main/reviews/decisions", order.formatted("highest-value", "false")));
    assertThat(number(done, "changed")).as(done.body()).isEqualTo(25);
    assertThat(pending()).isZero();
    assertThat(value("r7")).contains("\"v\":2");

    put("r3", "written since");
    Served.Answer undone =
        ended(served.json("POST", "/v1/main/jobs/" + done.text("id") + "/undo", "{}"));
    assertThat(number(undone, "changed")).as(undone.body()).isEqualTo(24);
    assertThat(number(undone, "failed")).isEqualTo(1);
    assertThat(undone.body()).contains("it was written to since");
    assertThat(pending()).isEqualTo(24);
    assertThat(value("r3")).contains("written since");
    assertThat(served.node.verify(_ -> {}).broken()).isEmpty();

    ended(
        served.json(
            "POST", "/v1/main/reviews/decisions", order.formatted("lowest-value", "false")));
    assertThat(pending()).isZero();
    assertThat(value("r7")).as("the other competitor is still there").contains("\"v\":1");
  }

  @Test
  void aRuleThatAsksPeopleOrIsUnknownDecidesNothing() throws Exception {
    inMemory();
    clash("r");
    for (String rule : List.of("manual-review", "nonsense", "x\\ntype: y")) {
      assertThat(
              served
                  .json(
                      "POST",
                      "/v1/main/reviews/decisions",
                      "{\"filter\":{\"type\":\"note\"},\"rule\":\"" + rule + "\"}")
                  .status())
          .as(rule)
          .isEqualTo(422);
    }
    Served.Answer summed =
        ended(
            served.json(
                "POST",
                "/v1/main/reviews/decisions",
                "{\"filter\":{\"recordId\":\"r\"},\"rule\":\"union\",\"background\":true}"));
    assertThat(number(summed, "failed") + number(summed, "changed")).isEqualTo(1);
  }

  @Test
  void aJobCanBeStoppedAndWhatItHasDoneStaysDone() throws Exception {
    inMemory();
    for (int i = 0; i < 3_000; i++) {
      put("r" + i, "first");
    }
    String before = now();
    for (int i = 0; i < 3_000; i++) {
      put("r" + i, "spoiled");
    }
    Served.Answer begun = served.json("POST", "/v1/main/restores", "{\"to\":\"" + before + "\"}");
    String path = begun.response().headers().firstValue("location").orElseThrow();
    while (number(served.get(path), "changed") < 10) {
      Thread.sleep(1);
    }
    served.json("DELETE", path, "");
    Served.Answer job = ended(begun);
    assertThat(job.text("state")).isEqualTo("stopped");
    long changed = number(job, "changed");
    assertThat(changed).isBetween(10L, 2_999L);
    long restored =
        served.node.records("main", "note", Optional.empty(), 5_000).stream()
            .filter(key -> served.node.read(key).view().data().toString().contains("first"))
            .count();
    assertThat(restored).isEqualTo(changed);
    assertThat(served.get("/v1/main/jobs").body()).contains("\"stopped\"");
  }

  @Test
  void checkpointsAreKeptByNumberToo() throws Exception {
    try (Node node =
        Node.open(RocksStore.open(folder.resolve("store")), NodeConfig.DEFAULT.withName("n"))) {
      Path kept = folder.resolve("kept");
      // The last is dated by a clock that was ahead; it must not push out the true latest.
      for (String day : List.of("20200101", "20200102", "20200103", "20200104", "20991105")) {
        Files.createDirectories(kept.resolve(day + "T000000.000Z"));
      }
      Duration forEver = Duration.ofDays(36_500);
      assertThat(new Checkpoints(node, kept, forEver, 0).prune()).isZero();
      Checkpoints two = new Checkpoints(node, kept, forEver, 2);
      assertThat(two.prune()).isEqualTo(3);
      assertThat(two.list())
          .extracting(Checkpoints.Checkpoint::name)
          .containsExactly("20200104T000000.000Z", "20200103T000000.000Z");
      assertThat(two.prune()).isZero();
    }
  }
}
