// SPDX-License-Identifier: Apache-2.0
package dev.entente.cli.bench;

import dev.entente.cli.bench.ClosedLoop.Result;
import java.io.IOException;
import java.time.Duration;

/**
 * What clients do to a node, as load: offline queues that sync in batches, and single conditional
 * writes. Both write records of one type whose policy settles by time, under names that begin with
 * {@code run}, so that one run does not meet the records of another.
 */
public final class HttpLoad {
  /** How many events a sync carries. */
  public static final int BATCH = 500;

  /** The policy that the load expects for its type. */
  public static final String POLICY = "type: %s\ndefault: last-writer-wins\n";

  /** A node, and what to write there. */
  public record Target(
      String host, int port, String token, String tenant, String type, String run) {}

  private HttpLoad() {}

  /**
   * Batches of {@value #BATCH} events over so many connections. Every tenth event is about a record
   * of the batch before, written without having seen it, and so makes a conflict.
   */
  public static Result sync(Target target, int connections, Duration time)
      throws IOException, InterruptedException {
    return overConnections(
        target,
        connections,
        time,
        (connection, writer) ->
            count -> {
              connection.send(
                  "POST",
                  "/v1/" + target.tenant() + "/sync",
                  batch(target, writer, count),
                  "X-Load: sync");
              return BATCH;
            });
  }

  private static String batch(Target target, int writer, long count) {
    StringBuilder body = new StringBuilder(1 << 16);
    body.append("{\"device\":\"d").append(writer).append("\",\"events\":[");
    for (int i = 0; i < BATCH; i++) {
      boolean clash = i % 10 == 0 && count > 0;
      body.append(i == 0 ? "" : ",").append("{\"id\":\"").append(target.run());
      body.append('-').append(writer).append('-').append(count).append('-').append(i);
      body.append("\",\"type\":\"").append(target.type());
      body.append("\",\"author\":\"a").append(count % 7);
      body.append("\",\"recordId\":\"").append(target.run()).append('-').append(writer);
      body.append('-').append(clash ? count - 1 : count).append('-').append(clash ? i + 1 : i);
      body.append("\",\"data\":{\"name\":\"somebody\",\"n\":").append(count * BATCH + i);
      body.append("}}");
    }
    return body.append("]}").toString();
  }

  /** Single writes with If-Match over so many connections, each to a record of its own. */
  public static Result conditional(Target target, int connections, Duration time)
      throws IOException, InterruptedException {
    return overConnections(
        target,
        connections,
        time,
        (connection, writer) -> {
          String path =
              "/v1/%s/records/%s/%s-%d"
                  .formatted(target.tenant(), target.type(), target.run(), writer);
          return new ClosedLoop.Work() {
            private String etag = "";

            @Override
            public int once(long count) throws IOException {
              etag =
                  connection.send(
                      "PUT",
                      path,
                      "{\"name\":\"somebody\",\"n\":" + count + "}",
                      etag.isEmpty() ? "If-None-Match: *" : "If-Match: " + etag);
              return 1;
            }
          };
        });
  }

  /** What one writer does over its connection. */
  private interface Client {
    ClosedLoop.Work of(Connection connection, int writer);
  }

  /** Gives each writer a connection of its own, closed when it ends. */
  private static Result overConnections(
      Target target, int connections, Duration time, Client client)
      throws IOException, InterruptedException {
    return ClosedLoop.run(
        connections,
        time,
        writer -> {
          Connection connection = new Connection(target);
          ClosedLoop.Work work = client.of(connection, writer);
          return new ClosedLoop.Work() {
            @Override
            public int once(long count) throws IOException {
              return work.once(count);
            }

            @Override
            public void close() throws IOException {
              connection.close();
            }
          };
        });
  }
}
