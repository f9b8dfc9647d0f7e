// SPDX-License-Identifier: Apache-2.0
package dev.entente.cli;

import dev.entente.core.json.Json;
import dev.entente.core.json.JsonBool;
import dev.entente.core.json.JsonObject;
import dev.entente.engine.json.JsonProblem;
import dev.entente.engine.json.JsonReader;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code entente audit}. */
@Command(
    name = "audit",
    description =
        "Lists the latest of the audit log; with --anchor, writes its signed end into a file to"
            + " keep elsewhere; with --check, says whether the log is still what such a file says"
            + " it was.")
final class AuditCommand extends Calling {
  private static final Set<String> MEMBERS =
      Set.of("node", "sequence", "hash", "at", "key", "signature");

  @Option(names = "--all", description = "Of all tenants and of the cluster.")
  boolean all;

  @Option(names = "--limit", paramLabel = "N", description = "How many (default: 20).")
  int limit = 20;

  @Option(names = "--anchor", paramLabel = "FILE", description = "Write the signed end.")
  @Nullable Path anchor;

  @Option(names = "--check", paramLabel = "FILE", description = "Check against a signed end.")
  @Nullable Path check;

  /** What {@code --anchor} wrote; nothing else, which may be a secret, is sent to a node. */
  private static String signedEnd(Path file) throws IOException {
    try {
      if (JsonReader.strict().read(Files.readString(file)) instanceof JsonObject end
          && MEMBERS.stream().noneMatch(name -> end.get(name).isAbsent())
          && end.members().size() == MEMBERS.size()) {
        return end.toString();
      }
    } catch (JsonProblem | CharacterCodingException e) {
      throw new IllegalArgumentException(noSignedEnd(file), e);
    }
    throw new IllegalArgumentException(noSignedEnd(file));
  }

  private static String noSignedEnd(Path file) {
    return "--check: "
        + file
        + " is no signed end of an audit log; entente audit --anchor FILE writes one";
  }

  @Override
  Integer run(Client client, PrintWriter out) throws IOException {
    Path keep = anchor;
    Path kept = check;
    if (keep != null) {
      given().only("--anchor");
      Json end = client.get("/v1/cluster/audit/anchor");
      Files.writeString(keep, end + "\n");
      out.println(keep + ": entry " + member(end, "sequence") + " of " + text(end, "node"));
      return ExitCodes.OK;
    }
    if (kept != null) {
      given().only("--check");
      Json answer = client.json("POST", "/v1/cluster/audit/anchor", Optional.of(signedEnd(kept)));
      boolean holds = member(answer, "holds").equals(JsonBool.TRUE);
      out.println(json ? answer : holds ? "the log holds" : "broken: " + text(answer, "broken"));
      return holds ? ExitCodes.OK : ExitCodes.NEEDS_REVIEW;
    }
    Json page = client.get((all ? "/v1/cluster/audit" : client.path("audit")) + "?limit=" + limit);
    if (json) {
      out.println(page);
    } else {
      list(page, "entries")
          .forEach(entry ->
              out.println(
                  text(entry, "time")
                      + "  "
                      + text(entry, "actor")
                      + "  "
                      + text(entry, "action")
                      + "  "
                      + text(entry, "subject")));
    }
    return ExitCodes.OK;
  }
}
