// SPDX-License-Identifier: Apache-2.0
package dev.entente.server;

import dev.entente.core.json.Json;
import dev.entente.core.json.JsonPrinter;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.BooleanSupplier;

/** What a route answers: a body, or a stream that writes itself. */
record Reply(int status, Map<String, String> headers, byte[] body, Optional<Stream> stream) {

  /** Writes a body piece by piece; ends when it returns or the client is gone. */
  @FunctionalInterface
  interface Stream {
    void writeTo(OutputStream out) throws IOException, InterruptedException;
  }

  static Reply json(int status, Json body) {
    return text(status, "application/json", JsonPrinter.print(body));
  }

  /** The same with another JSON body. */
  Reply withBody(Json json) {
    return new Reply(
        status, headers, JsonPrinter.print(json).getBytes(StandardCharsets.UTF_8), stream);
  }

  static Reply text(int status, String type, String body) {
    return bytes(status, type, body.getBytes(StandardCharsets.UTF_8));
  }

  static Reply bytes(int status, String type, byte[] body) {
    return new Reply(status, Map.of("Content-Type", type), body, Optional.empty());
  }

  static Reply stream(String type, Stream stream) {
    return new Reply(
        200,
        Map.of("Content-Type", type, "Cache-Control", "no-store"),
        new byte[0],
        Optional.of(stream));
  }

  static Reply problem(Problem problem) {
    Reply reply =
        text(
            problem.code().status(),
            "application/problem+json",
            JsonPrinter.print(problem.toJson()));
    OptionalLong seconds = problem.retryAfterSeconds();
    return seconds.isPresent()
        ? reply.with("Retry-After", Long.toString(seconds.getAsLong()))
        : reply;
  }

  /** The same, sent for as long as whoever asked may have it. */
  Reply whileAllowed(BooleanSupplier allowed) {
    Optional<Stream> guarded =
        stream.map(
            whole -> out -> whole.writeTo(new GuardedStream(out, allowed, System::nanoTime)));
    return new Reply(status, headers, body, guarded);
  }

  Reply with(String header, String value) {
    Map<String, String> more = new LinkedHashMap<>(headers);
    more.put(header, value);
    return new Reply(status, more, body, stream);
  }
}
