// SPDX-License-Identifier: Apache-2.0
package dev.entente.server;

import static org.assertj.core.api.Assertions.assertThat;

import dev.entente.cluster.group.FreePort;
import dev.entente.core.json.JsonArray;
import dev.entente.core.json.JsonObject;
import dev.entente.core.json.JsonString;
import dev.entente.engine.Node;
import dev.entente.engine.NodeConfig;
import dev.entente.engine.NodeRestoredException;
import dev.entente.engine.store.Batch;
import dev.entente.engine.store.Folders;
import dev.entente.engine.store.MemoryStore;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Voters come and go while the others write; who forgot what it voted on does not vote again. */
class VotersTest {
  private static final String SECRET = "a secret of the cluster";
  private static final String SEAT = "/v1/main/records/seat/";

  @TempDir Path folder;
  private final Map<String, String> addresses = new LinkedHashMap<>();
  private final Map<String, MemoryStore> stores = new LinkedHashMap<>();
  private final Map<String, Served> served = new LinkedHashMap<>();

  @AfterEach
  void close() {
    served.values().forEach(Served::close);
  }

  /** Serves a node under an id; those of the same name have one folder. */
  private Served serve(String id) throws Exception {
    String name = id.substring(0, id.indexOf('.'));
    addresses.putIfAbsent(name, "127.0.0.1:" + FreePort.find());
    List<String> voters = new ArrayList<>();
    addresses.forEach((voter, address) -> voters.add(voter + "=" + address));
    List<String> seeds =
        served.values().stream().map(at -> "http://127.0.0.1:" + at.port()).toList();
    Node node =
        Node.open(
            stores.computeIfAbsent(id, _ -> new MemoryStore()), NodeConfig.DEFAULT.withName(id));
    Served at =
        new Served(
            node, Optional.of(new Peering("", seeds, SECRET).withVoters(voters, group(name))));
    served.put(name, at);
    return at;
  }

  private Path group(String name) {
    return folder.resolve(name);
  }

  private void name(String... names) throws Exception {
    for (String name : names) {
      addresses.put(name, "127.0.0.1:" + FreePort.find());
    }
  }

  private void serveThree() throws Exception {
    name("a", "b", "c");
    for (String name : List.of("a", "b", "c")) {
      serve(name + ".1");
    }
    for (Served at : served.values()) {
      Served.eventually(() -> voters(at).equals(List.of("a", "b", "c")) && !leader(at).isEmpty());
    }
    Served any = served.get("a");
    byte[] policy = "type: seat\nconsistency: strong\n".getBytes(StandardCharsets.UTF_8);
    assertThat(
            any.send(
                    "PUT",
                    "/v1/main/policies/seat",
                    policy,
                    Map.of("Content-Type", "application/yaml"))
                .status())
        .isEqualTo(200);
    for (Served at : served.values()) {
      Served.eventually(() -> at.node.policyTypes("main").contains("seat"));
    }
  }

  private static Optional<JsonObject> group(Served at) {
    return at.get("/v1/cluster").json().get("group") instanceof JsonObject group
        ? Optional.of(group)
        : Optional.empty();
  }

  /** Who votes, as a voter sees it; empty for who does not vote. */
  private static List<String> voters(Served at) {
    return group(at)
        .map(group -> (JsonArray) group.get("voters"))
        .map(names -> names.items().stream().map(name -> ((JsonString) name).value()).toList())
        .orElse(List.of());
  }

  private static String leader(Served at) {
    return group(at)
        .filter(group -> group.get("leader") instanceof JsonString)
        .map(group -> ((JsonString) group.get("leader")).value())
        .orElse("");
  }

  private static String waitsFor(Served at) {
    return at.get("/v1/cluster").text("waitsFor");
  }

  private static boolean isAlarmed(Served at) {
    return String.valueOf(at.get("/v1/cluster/alerts").json().get("alerts")).contains("no-vote");
  }

  private Served.Answer add(String name) {
    return add(name, addresses.get(name));
  }

  private Served.Answer add(String name, String address) {
    return served
        .get("a")
        .json("PUT", "/v1/cluster/voters/" + name, "{\"address\":\"" + address + "\"}");
  }

  private Served.Answer remove(String name) {
    return served.get("a").send("DELETE", "/v1/cluster/voters/" + name, new byte[0], Map.of());
  }

  private void adds(String name) throws InterruptedException {
    changes(() -> add(name), name + " votes already");
    Served.eventually(() -> voters(served.get("a")).contains(name));
  }

  private void removes(String name) throws InterruptedException {
    changes(() -> remove(name), name + " is not one of several voters");
    Served.eventually(() -> !voters(served.get("a")).contains(name));
  }

  /**
   * Changes the voters as an operator does, who asks again while it is not known whether it was
   * done: the group elects.
   *
   * @param done what is said of a change that was done the first time
   */
  private static void changes(Supplier<Served.Answer> change, String done)
      throws InterruptedException {
    Served.Answer first = change.get();
    if (first.status() != 503) {
      assertThat(first.status()).as(first.body()).isEqualTo(200);
      return;
    }
    assertThat(first.response().headers().firstValue("Retry-After")).isPresent();
    AtomicReference<Served.Answer> last = new AtomicReference<>(first);
    Served.eventually(() -> last.updateAndGet(_ -> change.get()).status() != 503);
    Served.Answer again = last.get();
    assertThat(again.status() == 200 || again.body().contains(done)).as(again.body()).isTrue();
  }

  /** Writes at each node what every node then reads. */
  private void everybodyAgrees(String id) throws Exception {
    for (Served at : served.values()) {
      String path = SEAT + id + "-" + at.node.id().name();
      Served.eventually(() -> at.json("PUT", path, "{}").status() < 300);
      for (Served reader : served.values()) {
        Served.eventually(() -> {
          Served.Answer read = reader.get(path);
          return read.status() == 200
              && read.response().headers().firstValue(Steering.STALE).isEmpty();
        });
      }
    }
  }

  @Test
  void aFourthIsLetInAndAnotherGoesWhileAllServe() throws Exception {
    serveThree();
    everybodyAgrees("before");
    Served d = serve("d.1");
    Served.eventually(() ->
        waitsFor(d)
            .equals("waits to be let in: entente cluster add-voter d=" + addresses.get("d")));
    everybodyAgrees("meanwhile");
    assertThat(voters(d)).isEmpty();

    Served.Answer added = add("d");
    assertThat(added.status()).as(added.body()).isEqualTo(200);
    assertThat(added.body()).contains("\"d\":\"" + addresses.get("d"));
    Served.eventually(() -> voters(d).equals(List.of("a", "b", "c", "d")) && waitsFor(d).isEmpty());
    everybodyAgrees("with-four");

    for (String goes : List.of(leader(served.get("a")), "d")) {
      Served.Answer removed = remove(goes);
      assertThat(removed.status()).as(removed.body()).isEqualTo(200);
      Served.eventually(() -> voters(served.get(goes)).isEmpty());
      Served.eventually(() -> waitsFor(served.get(goes)).startsWith("waits to be let in"));
      everybodyAgrees("without-" + goes);
      assertThat(add(goes).status()).as("and back in").isEqualTo(200);
      Served.eventually(() -> voters(served.get(goes)).size() == 4);
      everybodyAgrees("again-with-" + goes);
    }
    assertThat(served.get("a").get("/v1/cluster/audit?action=add-voter").body())
        .contains(addresses.get("d"));
  }

  @Test
  void aVoterThatComesBackVotesWhoeverBeganTheGroup() throws Exception {
    serveThree();
    Served d = serve("d.1");
    Served.eventually(() -> waitsFor(d).startsWith("waits to be let in"));
    adds("d");
    for (String name : List.of("d", "b")) {
      served.get(name).close();
      Served back = serve(name + ".1");
      Served.eventually(() -> voters(back).size() == 4);
    }
    everybodyAgrees("all");
  }

  @Test
  void whoWasRemovedMeanwhileWaitsToBeLetInAgain() throws Exception {
    serveThree();
    served.get("c").close();
    // Where it led, the others choose first.
    Served.eventually(() -> served.get("a").json("PUT", SEAT + "x", "{}").status() < 300);
    removes("c");
    Served c = serve("c.1");
    Served.eventually(() -> waitsFor(c).startsWith("waits to be let in"));
    everybodyAgrees("meanwhile");
    assertThat(voters(c)).isEmpty();
    Served.eventually(() -> isAlarmed(c));
    adds("c");
    Served.eventually(() -> voters(c).size() == 3);
    Served.eventually(() -> !isAlarmed(c));
    everybodyAgrees("after");
  }

  @Test
  void whoLostItsDiskDoesNotVoteUntilItIsRemovedAndLetIn() throws Exception {
    serveThree();
    everybodyAgrees("before");
    served.get("c").close();
    Folders.delete(group("c"));
    Served c = serve("c.77");
    Served.eventually(() ->
        waitsFor(c).startsWith("a node called c voted before, and what it voted on is not here."));
    assertThat(waitsFor(c)).endsWith("entente cluster remove-voter c");
    everybodyAgrees("meanwhile");
    assertThat(voters(c)).isEmpty();
    assertThat(add("c").body()).contains("c votes already; remove it first");

    removes("c");
    Served.eventually(() -> waitsFor(c).startsWith("waits to be let in"));
    // So that nothing that is there yet is taken for all that it voted on.
    assertThat(group("c").resolve("waiting")).exists();
    adds("c");
    Served.eventually(() -> voters(c).equals(List.of("a", "b", "c")));
    everybodyAgrees("after");
  }

  @Test
  void whoeverHadWhatItVotedOnDeletedDoesNotVoteEither() throws Exception {
    serveThree();
    served.get("c").close();
    Folders.delete(group("c"));
    Served c = serve("c.1");
    Served.eventually(() -> waitsFor(c).endsWith("entente cluster remove-voter c"));
    assertThat(Files.exists(group("c"))).isFalse();
    everybodyAgrees("meanwhile");
  }

  @Test
  void whoseDirectoryWasPutBackAsItOnceWasDoesNotVoteWithIt() throws Exception {
    serveThree();
    served.get("c").close();
    MemoryStore then = copy(stores.get("c.1"));
    Path votesThen = Folders.create(folder.resolve("then"));
    copy(group("c"), votesThen);

    Served since = serve("c.1");
    Served.eventually(() -> voters(since).size() == 3);
    assertThat(since.json("PUT", "/v1/main/records/note/since", "{}").status()).isEqualTo(201);
    Served.eventually(() ->
        served.get("a").get("/v1/main/records/note/since").status() == 200
            && served.get("b").get("/v1/main/records/note/since").status() == 200);
    since.close();
    Folders.delete(group("c"));
    copy(votesThen, Folders.create(group("c")));
    stores.put("c.1", then);

    Served putBack = serve("c.1");
    Served.eventually(() -> putBack.node.failure().isPresent());
    assertThat(putBack.node.failure().orElseThrow()).isInstanceOf(NodeRestoredException.class);
    assertThat(voters(putBack)).isEmpty();
    putBack.close();
    Served c = serve("c.1");
    Served.eventually(() -> waitsFor(c).endsWith("entente cluster remove-voter c"));
    removes("c");
    Served.eventually(() -> waitsFor(c).startsWith("waits to be let in"));
    adds("c");
    Served.eventually(() -> voters(c).equals(List.of("a", "b", "c")));
    everybodyAgrees("after");
  }

  private static MemoryStore copy(MemoryStore store) {
    MemoryStore copy = new MemoryStore();
    Batch batch = new Batch();
    store.copy(batch::put);
    copy.commit(batch);
    return copy;
  }

  private static void copy(Path from, Path to) throws IOException {
    try (Stream<Path> files = Files.walk(from)) {
      for (Path file : files.filter(file -> !file.equals(from)).toList()) {
        Files.copy(file, to.resolve(from.relativize(file)));
      }
    }
  }

  @Test
  void aGroupBeginsOnceAllOfItAreThereAndIsFoundBeforeAnythingIsWritten() throws Exception {
    name("a", "b", "c");
    Served a = serve("a.1");
    Served b = serve("b.1");
    Served.eventually(
        () -> waitsFor(b).equals("waits for c to say that no node called b has voted before"));
    assertThat(group(a)).isEmpty();
    serve("c.1");
    for (Served at : served.values()) {
      Served.eventually(() -> voters(at).size() == 3 && waitsFor(at).isEmpty());
    }
    Served d = serve("d.1");
    byte[] policy = "type: seat\nconsistency: strong\n".getBytes(StandardCharsets.UTF_8);
    Map<String, String> yaml = Map.of("Content-Type", "application/yaml");
    Served.eventually(() -> d.send("PUT", "/v1/main/policies/seat", policy, yaml).status() == 200);
  }

  @Test
  void whatCannotBeChangedSoIsSaid() throws Exception {
    serveThree();
    assertThat(add("x", "127.0.0.1:7").body()).contains("no member is called x");
    assertThat(add("a").body()).contains("a votes already");
    assertThat(remove("x").body()).contains("x is not one of several voters");
    assertThat(add("x", "nowhere").status()).isEqualTo(422);
    Served x =
        new Served(
            Node.open(new MemoryStore(), NodeConfig.DEFAULT.withName("x")),
            Optional.of(
                new Peering("", List.of("http://127.0.0.1:" + served.get("a").port()), SECRET)));
    served.put("x", x);
    assertThat(x.get("/v1/cluster").body()).contains("\"voters\":[]", "\"waitsFor\":\"\"");
    for (Served at : served.values()) {
      Served.eventually(() -> at.get("/v1/cluster").body().contains("\"x.1\""));
    }
    assertThat(add("x", "nowhere").body()).contains("a voter is named as");
    Served.Answer deaf = add("x", "127.0.0.1:" + FreePort.find());
    assertThat(deaf.status()).as(deaf.body()).isEqualTo(503);
    assertThat(deaf.body()).contains("did not catch up in time");
    everybodyAgrees("without-x");
    assertThat(add("x", "").body()).contains("say where it listens");
    assertThat(served.get("b").json("PUT", "/v1/cluster/voters/b", "{\"address\":1}").status())
        .isEqualTo(422);
    try (Served alone = new Served()) {
      assertThat(alone.json("PUT", "/v1/cluster/voters/x", "{\"address\":\"h:1\"}").status())
          .isEqualTo(404);
    }
  }
}
