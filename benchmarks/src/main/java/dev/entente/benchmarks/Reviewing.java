// SPDX-License-Identifier: Apache-2.0
package dev.entente.benchmarks;

import dev.entente.core.edit.Edit;
import dev.entente.core.json.Json;
import dev.entente.core.json.JsonArray;
import dev.entente.core.json.JsonNumber;
import dev.entente.core.json.JsonObject;
import dev.entente.core.json.JsonString;
import dev.entente.core.policy.PolicyProblem.PolicyException;
import dev.entente.core.record.RecordKey;
import dev.entente.engine.Desk;
import dev.entente.engine.Node;
import dev.entente.engine.NodeConfig;
import dev.entente.engine.Outcome;
import dev.entente.engine.Review;
import dev.entente.engine.WriteRequest;
import dev.entente.engine.WriteRequest.Seen;
import dev.entente.engine.json.JsonReader;
import dev.entente.engine.store.Folders;
import dev.entente.engine.store.RocksStore;
import dev.entente.server.EntenteServer;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A durable node with very many records and pending reviews: how long each request that a page of
 * the dashboard makes takes at the server, over HTTP on the loopback; and how long it takes to
 * decide many at once, and to take that back.
 */
public final class Reviewing {
  private static final int PENDING = Integer.getInteger("pending", 100_000);
  private static final int RECORDS = Integer.getInteger("records", 1_000_000);
  private static final int DECIDED = Integer.getInteger("decided", 10_000);
  private static final int REQUESTS = Integer.getInteger("requests", 60);
  private static final int WARM = 20;
  private static final int TOGETHER = 500;
  private static final int MINE = 7;

  private final Node node;
  private final EntenteServer server;
  private final HttpClient client =
      HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();

  private Reviewing(Path directory) throws IOException {
    node = Node.open(RocksStore.open(directory), NodeConfig.DEFAULT.withName("n"));
    server = EntenteServer.start(node, "127.0.0.1", 0, "t");
  }

  private static WriteRequest write(RecordKey key, int value, Seen seen, String author) {
    JsonObject document =
        JsonObject.of(Map.of("value", Json.of(value), "note", Json.of("as agreed")));
    return WriteRequest.of(key, new Edit.Put(document), seen, author);
  }

  /** Makes records on each of which two writers clash; one type is to be decided later. */
  private void fill() throws PolicyException {
    for (String type : List.of("many", "some")) {
      node.putPolicy("main", "type: " + type + "\ndefault: manual-review\n", "op").join();
    }
    for (int from = 0; from < PENDING; from += TOGETHER) {
      List<RecordKey> keys = new ArrayList<>();
      for (int i = from; i < Math.min(PENDING, from + TOGETHER); i++) {
        keys.add(new RecordKey("main", i < DECIDED ? "some" : "many", "r" + i));
      }
      List<WriteRequest> first =
          keys.stream().map(key -> write(key, 0, new Seen.Everything(), "op")).toList();
      List<WriteRequest> clash = new ArrayList<>();
      for (Outcome outcome : node.writeAll(first).join()) {
        Outcome.Accepted made = (Outcome.Accepted) outcome;
        Seen seen = new Seen.Context(made.after().state().context());
        clash.add(write(made.after().key(), 1, seen, "ann"));
        clash.add(write(made.after().key(), 2, seen, "bob"));
      }
      node.writeAll(clash).join();
    }
    for (int from = 0; from < RECORDS; from += TOGETHER) {
      List<WriteRequest> plain = new ArrayList<>();
      for (int i = from; i < Math.min(RECORDS, from + TOGETHER); i++) {
        plain.add(write(new RecordKey("main", "plain", "p" + i), i, new Seen.Everything(), "op"));
      }
      node.writeAll(plain).join();
    }
    Desk desk = new Desk(node);
    Optional<byte[]> deep = Optional.empty();
    for (int page = 0; page < 50; page++) {
      List<Review> reviews = node.reviews("main", Review.Status.PENDING, deep, 1_000);
      if (reviews.isEmpty()) {
        break;
      }
      deep = Optional.of(Node.cursor(reviews.getLast()));
      if (page < MINE) {
        desk.assign(reviews.getLast(), "eve", "eve").join();
      }
    }
  }

  private String ask(String method, String path, String body)
      throws IOException, InterruptedException {
    HttpRequest request =
        HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + server.port() + path))
            .header("Authorization", "Bearer t")
            .header("Content-Type", "application/json")
            .method(method, BodyPublishers.ofString(body))
            .build();
    var answer = client.send(request, BodyHandlers.ofString());
    if (answer.statusCode() >= 300) {
      throw new IllegalStateException(path + " answered " + answer.statusCode());
    }
    return answer.body();
  }

  private void measure(String what, String path) throws IOException, InterruptedException {
    double[] millis = new double[REQUESTS];
    for (int i = -WARM; i < REQUESTS; i++) {
      long begin = System.nanoTime();
      ask("GET", path, "");
      if (i >= 0) {
        millis[i] = (System.nanoTime() - begin) / 1e6;
      }
    }
    Arrays.sort(millis);
    System.out.printf(
        "  %-44s median %7.1f ms   p95 %7.1f ms   most %7.1f ms%n",
        what, millis[REQUESTS / 2], millis[REQUESTS * 95 / 100], millis[REQUESTS - 1]);
  }

  private void pages() throws IOException, InterruptedException {
    JsonObject first = object(ask("GET", "/v1/main/reviews?limit=50", ""));
    JsonArray reviews = (JsonArray) first.get("reviews");
    String id = text((JsonObject) reviews.items().getFirst(), "id");
    String deep = "";
    for (int i = 0; i < PENDING / 2_000; i++) {
      String path = "/v1/main/reviews?limit=1000" + (deep.isEmpty() ? "" : "&cursor=" + deep);
      deep = text(object(ask("GET", path, "")), "next");
    }
    measure("reviews, the first page", "/v1/main/reviews?limit=50");
    measure("reviews, a page in the middle", "/v1/main/reviews?limit=50&cursor=" + deep);
    measure("reviews, the longest page", "/v1/main/reviews?limit=1000");
    measure("reviews of somebody who has " + MINE, "/v1/main/reviews?limit=50&owner=eve");
    measure("reviews that nobody has, of a type", "/v1/main/reviews?limit=50&owner=-&type=many");
    measure("reviews that are overdue (none)", "/v1/main/reviews?limit=50&late=overdue");
    measure("how many wait", "/v1/main/reviews?limit=1");
    measure("one review", "/v1/main/reviews/" + id);
    measure("kept views", "/v1/main/views");
    measure("figures of the overview", "/v1/main/figures");
    measure("alerts", "/v1/main/alerts");
    measure("hot records", "/v1/main/hotspots?limit=20");
    measure("types of records", "/v1/main/records");
    measure("records of a type", "/v1/main/records/many?limit=100");
    measure("records, a page in the middle", "/v1/main/records/plain?limit=100&cursor=" + middle());
    measure("a record among all", "/v1/main/records/plain/p" + RECORDS / 2);
    measure("the first changes", "/v1/main/changes?limit=100");
    measure("who is named (a page of the search)", "/v1/main/subjects?naming=nobody");
    measure("a record in conflict", "/v1/main/records/many/r" + (PENDING - 1));
    measure("its history", "/v1/main/records/many/r" + (PENDING - 1) + "/history?limit=200");
    measure("the audit log", "/v1/main/audit?limit=100");
    measure("the audit log, what is not in it", "/v1/main/audit?limit=100&actor=nobody");
    measure("what a policy's conflicts speak for", "/v1/main/policies/many/advice?latest=500");
    measure("the cluster", "/v1/cluster");
  }

  private String middle() throws IOException, InterruptedException {
    String cursor = "";
    for (int i = 0; i < RECORDS / 2_000; i++) {
      String path = "/v1/main/records/plain?limit=1000";
      cursor =
          text(
              object(ask("GET", cursor.isEmpty() ? path : path + "&cursor=" + cursor, "")), "next");
    }
    return cursor;
  }

  private static JsonObject object(String body) {
    return (JsonObject) JsonReader.strict().read(body);
  }

  private static String text(JsonObject object, String name) {
    return object.get(name) instanceof JsonString(String text) ? text : "";
  }

  private static long number(JsonObject object, String name) {
    return object.get(name) instanceof JsonNumber number ? number.longValue() : 0;
  }

  /** Follows a job to its end; what it took, in seconds. */
  private JsonObject end(String what, String path, String body)
      throws IOException, InterruptedException {
    long begin = System.nanoTime();
    String id = text(object(ask("POST", path, body)), "id");
    JsonObject job;
    do {
      Thread.sleep(20);
      job = object(ask("GET", "/v1/main/jobs/" + id, ""));
    } while (text(job, "state").equals("running"));
    System.out.printf(
        "  %-44s %,d in %.2f s, %d not%n",
        what, number(job, "changed"), (System.nanoTime() - begin) / 1e9, number(job, "failed"));
    return job;
  }

  private void decideMany() throws IOException, InterruptedException {
    String order = "{\"filter\":{\"type\":\"some\"},\"rule\":\"highest-value\",\"background\":true";
    String path = "/v1/main/reviews/decisions";
    end("foreseeing " + DECIDED + " decisions", path, order + ",\"dryRun\":true}");
    JsonObject job = end("deciding them", path, order + "}");
    end("taking them back", "/v1/main/jobs/" + text(job, "id") + "/undo", "{}");
  }

  public static void main(String[] args) throws Exception {
    Path directory = Files.createTempDirectory("entente-reviewing");
    try {
      Reviewing benchmark = new Reviewing(directory);
      long begin = System.nanoTime();
      benchmark.fill();
      System.out.printf(
          "%,d records besides %,d pending reviews, made in %.1f s%n",
          RECORDS,
          benchmark.node.countReviews("main", Review.Status.PENDING),
          (System.nanoTime() - begin) / 1e9);
      benchmark.pages();
      benchmark.decideMany();
      benchmark.server.close();
      benchmark.node.close();
    } finally {
      Folders.delete(directory);
    }
  }
}
