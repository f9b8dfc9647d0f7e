// SPDX-License-Identifier: Apache-2.0
package dev.entente.cli;

import dev.entente.server.TraceTarget;
import java.util.Optional;
import picocli.CommandLine.Option;

/** Who is told where requests spend their time. */
final class TraceOptions {
  @Option(
      names = "--traces",
      paramLabel = "URL",
      description =
          "Tell a collector of OpenTelemetry (OTLP over HTTP, such as"
              + " http://127.0.0.1:4318/v1/traces) where requests spend their time.")
  String url = "";

  @Option(
      names = "--trace-ratio",
      paramLabel = "0..1",
      description =
          "Of how many requests, where the client does not say itself (default: ${DEFAULT-VALUE}).")
  double ratio = 0.1;

  Optional<TraceTarget> target() {
    Checks.requireRange("--trace-ratio", ratio, 0, 1);
    if (url.isBlank()) {
      return Optional.empty();
    }
    Checks.requireUrl("--traces", url);
    return Optional.of(new TraceTarget(url, ratio));
  }
}
