// SPDX-License-Identifier: Apache-2.0
package dev.entente.cli;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** What a command that was run in a process of its own said. */
record Ran(int code, String output) {
  private static final Pattern WORD = Pattern.compile("\"([^\"]*)\"|(\\S+)");

  /** Runs what stands behind {@code entente} in a shell, in a folder, as a client of a node. */
  static Ran at(RealNode node, Path folder, String command)
      throws IOException, InterruptedException {
    List<String> line = Jvm.entente("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1");
    Matcher words = WORD.matcher(command);
    while (words.find()) {
      line.add(words.group(1) == null ? words.group(2) : words.group(1));
    }
    ProcessBuilder builder = new ProcessBuilder(line).directory(folder.toFile());
    builder.environment().put("ENTENTE_URL", node.url());
    builder.environment().put("ENTENTE_TOKEN", RealNode.TOKEN);
    Process process = builder.redirectErrorStream(true).start();
    process.getOutputStream().close();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    return new Ran(process.waitFor(), output);
  }
}
