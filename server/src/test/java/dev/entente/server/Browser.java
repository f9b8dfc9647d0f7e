// SPDX-License-Identifier: Apache-2.0
package dev.entente.server;

import static com.microsoft.playwright.assertions.PlaywrightAssertions.assertThat;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.microsoft.playwright.BrowserContext;
import com.microsoft.playwright.BrowserType;
import com.microsoft.playwright.Page;
import com.microsoft.playwright.Playwright;
import com.microsoft.playwright.options.ColorScheme;
import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;

/** A real browser for tests of the dashboard, which complains of what a user never should meet. */
final class Browser implements AutoCloseable {
  /** What a page is looked at with. */
  enum Look {
    DESK(1280, 900, ColorScheme.LIGHT),
    PHONE_IN_THE_DARK(390, 844, ColorScheme.DARK);

    private final int width;
    private final int height;
    private final ColorScheme colours;

    Look(int width, int height, ColorScheme colours) {
      this.width = width;
      this.height = height;
      this.colours = colours;
    }
  }

  private static final List<String> NAMES =
      List.of("chromium", "chromium-browser", "google-chrome");

  /** Runs in the page; not as a script element, which the page's own rules would refuse. */
  private static final String AXE = script("/axe.min.js");

  private static final String SERIOUS =
      """
      axe.run().then(found => found.violations
        .filter(rule => ['serious', 'critical'].includes(rule.impact))
        .map(rule => rule.id + ': ' + rule.nodes.slice(0, 3).map(node => node.html).join(' ')))
      """;

  private final Playwright playwright;
  private final com.microsoft.playwright.Browser chromium;

  private Browser(Playwright playwright, com.microsoft.playwright.Browser chromium) {
    this.playwright = playwright;
    this.chromium = chromium;
  }

  /** Starts it, or skips the test where there is none. */
  static Browser start() {
    Optional<Path> program = program();
    assumeTrue(program.isPresent(), "no Chromium on the PATH; install it to test the dashboard");
    Playwright playwright =
        Playwright.create(
            new Playwright.CreateOptions().setEnv(Map.of("PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD", "1")));
    return new Browser(
        playwright,
        playwright
            .chromium()
            .launch(
                new BrowserType.LaunchOptions()
                    .setExecutablePath(program.orElseThrow())
                    .setArgs(
                        List.of(
                            "--no-sandbox",
                            "--disable-gpu",
                            "--disable-quic",
                            "--no-first-run",
                            "--disable-background-networking",
                            "--disable-component-update",
                            "--disable-sync"))));
  }

  private static String script(String name) {
    try (InputStream in = Browser.class.getResourceAsStream(name)) {
      return new String(Objects.requireNonNull(in, name).readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static Optional<Path> program() {
    String folders = Optional.ofNullable(System.getenv("PATH")).orElse("");
    for (String folder : folders.split(File.pathSeparator)) {
      for (String name : NAMES) {
        Path path = Path.of(folder, name);
        if (!folder.isEmpty() && Files.isExecutable(path)) {
          return Optional.of(path);
        }
      }
    }
    return Optional.empty();
  }

  /** A fresh visitor of a node, signed in with a token. */
  Visitor visit(Served served, String token, Look look) {
    Visitor visitor = visit(served, look);
    visitor.page.navigate(visitor.address + "/#token=" + token);
    visitor.page.waitForSelector("#main h1");
    return visitor;
  }

  /** A fresh visitor who has opened the dashboard. */
  Visitor visit(Served served, Look look) {
    BrowserContext context =
        chromium.newContext(
            new com.microsoft.playwright.Browser.NewContextOptions()
                .setViewportSize(look.width, look.height)
                .setColorScheme(look.colours));
    context.setDefaultTimeout(15_000);
    return new Visitor(context, "http://127.0.0.1:" + served.port());
  }

  /** Somebody who looks at the dashboard. */
  static final class Visitor implements AutoCloseable {
    final Page page;
    private final BrowserContext context;
    private final String address;
    private final List<String> complaints = new ArrayList<>();

    private Visitor(BrowserContext context, String address) {
      this.context = context;
      this.address = address;
      this.page = context.newPage();
      page.onConsoleMessage(message -> {
        // A refusal that the page itself shows is no error of the page.
        if (message.type().equals("error") && !message.text().contains("Failed to load resource")) {
          complaints.add("console: " + message.text());
        }
      });
      page.onPageError(error -> complaints.add("script: " + error));
      page.onRequest(request -> {
        if (!request.url().startsWith(address)) {
          complaints.add("asked another host: " + request.url());
        }
      });
    }

    /** Opens a page by what follows the hash, and waits until it stands. */
    void open(String hash) {
      String url = address + "/#/" + hash;
      if (page.url().equals(url)) {
        page.reload();
      } else {
        page.evaluate("document.getElementById('main').replaceChildren()");
        page.navigate(url);
      }
      page.waitForSelector("#main h1");
    }

    void press(String... keys) {
      for (String key : keys) {
        page.keyboard().press(key);
      }
    }

    /** Waits until the page shows a text. */
    void sees(String text) {
      assertThat(page.locator("body")).containsText(text);
    }

    /** Fails where anything was wrong so far that its user cannot see. */
    void wasServedWell() {
      assertThat(complaints).isEmpty();
    }

    /** Fails where somebody who uses a screen reader, or sees less, would be stuck. */
    void isAccessible(String what) {
      page.evaluate(AXE);
      Object serious = page.evaluate(SERIOUS);
      assertThat(serious).as(what).isEqualTo(List.of());
    }

    /** Fails where one has to scroll sideways to read the page. */
    void fits(String what) {
      assertThat(
              page.evaluate(
                  "document.documentElement.scrollWidth - document.documentElement.clientWidth"))
          .as(what + " is too wide")
          .isEqualTo(0);
    }

    /** Keeps a picture where pictures are asked for, for somebody to look at. */
    void picture(String name) {
      String folder = System.getProperty("entente.pictures");
      if (folder != null) {
        page.screenshot(
            new Page.ScreenshotOptions().setPath(Path.of(folder, name + ".png")).setFullPage(true));
      }
    }

    @Override
    public void close() {
      context.close();
    }
  }

  @Override
  public void close() {
    chromium.close();
    playwright.close();
  }
}
