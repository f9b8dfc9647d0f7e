// SPDX-License-Identifier: Apache-2.0
package dev.entente.cli;

import dev.entente.cli.bench.ClosedLoop.Result;
import dev.entente.cli.bench.HttpLoad;
import dev.entente.core.json.Json;
import java.io.IOException;
import java.io.PrintWriter;
import java.time.Duration;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code entente bench}. */
@Command(
    name = "bench",
    description = {
      "Measures a running node from here: offline queues that sync, and single conditional writes.",
      "It writes records of a type of its own (bench) and leaves them there; use a tenant for it: ENTENTE_TENANT=bench entente bench"
    })
final class BenchCommand extends Calling {
  private static final String TYPE = "bench";

  @Option(
      names = "--connections",
      paramLabel = "N",
      defaultValue = "16",
      description = "How many clients at once (${DEFAULT-VALUE}).")
  int connections;

  @Option(
      names = "--seconds",
      paramLabel = "N",
      defaultValue = "10",
      description = "How long each part runs, after a third of that to warm up (${DEFAULT-VALUE}).")
  int seconds;

  private interface Load {
    Result run(HttpLoad.Target target, int connections, Duration time)
        throws IOException, InterruptedException;
  }

  @Override
  Integer run(Client client, PrintWriter out) {
    if (connections < 1 || connections > 1_000 || seconds < 1 || seconds > 3_600) {
      throw new IllegalArgumentException("connections go from 1 to 1000, seconds from 1 to 3600");
    }
    client.send(
        "PUT",
        client.path("policies", TYPE),
        Optional.of(HttpLoad.POLICY.formatted(TYPE)),
        Map.of("Content-Type", "application/yaml"));
    Map<String, Json> all = new TreeMap<>();
    all.put("sync", part(client, out, "sync, batches of 500, 10 % conflicts", HttpLoad::sync));
    all.put("conditional", part(client, out, "conditional writes", HttpLoad::conditional));
    if (json) {
      out.println(Json.of(all));
    }
    return ExitCodes.OK;
  }

  private Json part(Client client, PrintWriter out, String name, Load load) {
    try {
      load.run(target(client), connections, Duration.ofMillis(seconds * 333L));
      Result result = load.run(target(client), connections, Duration.ofSeconds(seconds));
      if (!json) {
        out.println(
            String.format(
                Locale.ROOT,
                "%-38s %,10.0f/s   p50 %8.2f ms   p99 %8.2f ms",
                name,
                result.perSecond(),
                result.p50Micros() / 1000,
                result.p99Micros() / 1000));
        out.flush();
      }
      return Json.of(
          Map.of(
              "operations",
              result.operations(),
              "perSecond",
              (double) Math.round(result.perSecond()),
              "p50Millis",
              Math.round(result.p50Micros()) / 1000.0,
              "p99Millis",
              Math.round(result.p99Micros()) / 1000.0));
    } catch (IOException e) {
      throw new Client.FailedException(String.valueOf(e.getMessage()));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new Client.FailedException("interrupted");
    }
  }

  private static HttpLoad.Target target(Client client) {
    return new HttpLoad.Target(
        client.host(),
        client.port(),
        client.token(),
        client.tenant(),
        TYPE,
        Long.toString(System.currentTimeMillis(), 36));
  }
}
