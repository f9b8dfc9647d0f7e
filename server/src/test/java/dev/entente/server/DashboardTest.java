// SPDX-License-Identifier: Apache-2.0
package dev.entente.server;

import static org.assertj.core.api.Assertions.assertThat;

import com.microsoft.playwright.Download;
import com.microsoft.playwright.Page;
import com.microsoft.playwright.options.AriaRole;
import dev.entente.core.json.JsonArray;
import dev.entente.core.json.JsonObject;
import dev.entente.core.json.JsonString;
import dev.entente.server.Browser.Look;
import dev.entente.server.Browser.Visitor;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The dashboard in a real browser, walked as its users would. */
class DashboardTest {
  /** Would set a mark on the page, were it ever taken for markup or script. */
  private static final String HOSTILE = "<img src=x onerror=window.hacked=1>";

  private static final List<String> PAGES =
      List.of(
          "overview",
          "overview?of=writes",
          "overview?of=times",
          "reviews",
          "reviews?owner=-",
          "reviews?status=resolved",
          "live",
          "record",
          "record/bill",
          "record/bill/b",
          "policies",
          "policies/bill",
          "operate",
          "audit",
          "audit?action=write",
          "accounts",
          "accounts/eve",
          "subjects",
          "subjects?naming=bill",
          "cluster");

  private static Browser browser;

  private final Served served = new Served();

  @BeforeAll
  static void startBrowser() {
    browser = Browser.start();
  }

  @AfterAll
  static void closeBrowser() {
    if (browser != null) {
      browser.close();
    }
  }

  @BeforeEach
  void declare() {
    policy(
        "bill",
        """
        type: bill
        default: manual-review
        fields: {phone: last-writer-wins}
        review: {two-persons: [amount]}
        """);
    policy("cart", "type: cart\ndefault: last-writer-wins\n");
  }

  @AfterEach
  void close() {
    served.close();
  }

  private void policy(String type, String text) {
    served.send(
        "PUT",
        "/v1/main/policies/" + escaped(type),
        text.getBytes(StandardCharsets.UTF_8),
        Map.of("Content-Type", "application/yaml"));
  }

  private static String escaped(String text) {
    return URLEncoder.encode(text, StandardCharsets.UTF_8).replace("+", "%20");
  }

  /** Two change a field of a record at once; one after the other is asked for. */
  private void clash(String type, String id, String field, String one, String other) {
    String path = "/v1/main/records/" + escaped(type) + "/" + escaped(id);
    Served.Answer before = served.json("PUT", path, "{\"amount\":1,\"note\":\"as agreed\"}");
    for (String value : List.of(one, other)) {
      Served.Answer answer =
          served.send(
              "PATCH",
              path,
              new JsonObject(JsonObject.of(field, new JsonString(value)).members())
                  .toString()
                  .getBytes(StandardCharsets.UTF_8),
              Map.of(
                  "Content-Type", "application/merge-patch+json",
                  "Entente-Context", before.text("context"),
                  "Entente-Author", escaped("by " + value)));
      assertThat(answer.status()).as(answer.body()).isEqualTo(200);
    }
  }

  private String review(int index) {
    JsonArray reviews = (JsonArray) served.get("/v1/main/reviews").json().get("reviews");
    JsonObject review = (JsonObject) reviews.items().get(index);
    return ((JsonString) review.get("id")).value();
  }

  private Visitor admin(Look look) {
    return browser.visit(served, Served.TOKEN, look);
  }

  @ParameterizedTest
  @EnumSource
  void everyPageStandsFitsAndCanBeUsedByEverybody(Look look) {
    clash("bill", "b", "note", "left", "right");
    clash("bill", "b", "phone", "+1", "+2");
    clash("cart", "c", "note", "x", "y");
    served.json("POST", "/v1/main/reviews/" + review(0) + "/notes", "{\"text\":\"ask them\"}");
    served.json("PUT", "/v1/main/views/urgent", "{\"filter\":{\"owner\":\"-\"}}");
    served.json("POST", "/v1/main/freezes", "{\"type\":\"cart\",\"reason\":\"stocktaking\"}");
    served.account("eve", "reviewer@main");
    try (Visitor visitor = admin(look)) {
      for (String page : PAGES) {
        look(visitor, page);
      }
      look(visitor, "reviews/" + review(0));
      visitor.wasServedWell();
    }
  }

  private static void look(Visitor visitor, String page) {
    visitor.open(page);
    assertThat(visitor.page.innerText("#main")).doesNotContain("That did not work", "undefined");
    visitor.picture(page.replaceAll("[/?]", "-") + "-" + visitor.page.viewportSize().width);
    visitor.fits(page);
    visitor.isAccessible(page);
  }

  @Test
  void theLastHourIsLookedAtByConflictsByWritesAndByTime() {
    clash("bill", "b", "note", "left", "right");
    served.json("PUT", "/v1/main/records/cart/c", "{}");
    try (Visitor visitor = admin(Look.DESK)) {
      visitor.open("overview");
      visitor.sees("left for people");
      assertThat(visitor.page.locator("#main a[href='#/policies/cart']").count()).isZero();
      visitor.page.locator(".tabs a[href='#/overview?of=writes']").click();
      visitor.page.locator("#main a[href='#/policies/cart']").first().waitFor();
      visitor.page.locator(".tabs a[href='#/overview?of=times']").click();
      visitor.sees("Of a type all writes at this node");
      visitor.page.locator(".ranking .count").getByText(" ms").first().waitFor();
      visitor.wasServedWell();
    }
  }

  @Test
  void aReviewIsFoundAndDecidedWithoutAMouse() {
    clash("bill", "b", "note", "left", "right");
    try (Visitor visitor = browser.visit(served, Look.DESK)) {
      visitor.page.navigate("http://127.0.0.1:" + served.port() + "/");
      visitor.sees("Sign in");
      visitor.page.focus("#token");
      visitor.page.keyboard().type(Served.TOKEN);
      visitor.press("Enter");
      visitor.sees("1 conflict that no rule may settle");
      visitor.press("j", "Enter");
      visitor.sees("Last agreed");
      visitor.press("r");
      visitor.page.keyboard().type("as on the paper");
      visitor.press("Tab");
      visitor.page.keyboard().type("eve");
      visitor.page.evaluate("document.activeElement.blur()");
      visitor.press("2", "Enter");
      visitor.sees("Nothing waits for you");
      visitor.wasServedWell();
    }
    assertThat(served.get("/v1/main/records/bill/b").body()).contains("\"note\":\"right\"");
    assertThat(served.get("/v1/main/records/bill/b/history").body())
        .contains("as on the paper")
        .contains("\"author\":\"eve\"");
  }

  @Test
  void numbersAreShownAndSentDigitForDigit() {
    String path = "/v1/main/records/bill/b";
    Served.Answer before = served.json("PUT", path, "{\"total\":1}");
    for (String digits : List.of("99999999999999999999998", "99999999999999999999999")) {
      served.send(
          "PATCH",
          path,
          ("{\"total\":" + digits + "}").getBytes(StandardCharsets.UTF_8),
          Map.of(
              "Content-Type",
              "application/merge-patch+json",
              "Entente-Context",
              before.text("context"),
              "Entente-Author",
              "by" + digits));
    }
    try (Visitor visitor = admin(Look.DESK)) {
      visitor.open("reviews/" + review(0));
      visitor.sees("99999999999999999999998");
      visitor.sees("99999999999999999999999");
      visitor.page.getByText("Write my own").click();
      visitor.page.getByLabel("your own value as JSON").fill("[99999999999999999999997,0.1]");
      visitor.page.getByText("Use my own value").click();
      visitor.sees("Nothing waits for you");
    }
    assertThat(served.get(path).body()).contains("[99999999999999999999997,0.1]");
  }

  @Test
  void aReviewerTakesItNotesAndKeepsAFilter() {
    clash("bill", "b", "note", "left", "right");
    clash("bill", "c", "note", "left", "right");
    String eve = served.account("eve", "reviewer@main");
    try (Visitor visitor = browser.visit(served, eve, Look.DESK)) {
      visitor.open("reviews/" + review(0));
      visitor.page.getByText("I take it").click();
      visitor.sees("with eve");
      visitor.page.getByLabel("a note").fill("they call back");
      visitor.page.getByText("Add the note").click();
      visitor.sees("they call back");
      visitor.open("reviews");
      visitor.page.getByLabel("Whose").selectOption("mine");
      visitor.sees("Those with owner eve");
      assertThat(visitor.page.locator(".list > li").count()).isEqualTo(1);
      visitor.page.getByText("Keep this filter").click();
      visitor.page.getByLabel("name of the view").fill("my own");
      visitor.page.getByText("Keep", new Page.GetByTextOptions().setExact(true)).click();
      visitor.sees("my own");
      visitor.open("reviews");
      visitor.page.getByText("my own").click();
      visitor.sees("Those with owner eve");
      visitor.wasServedWell();
    }
  }

  @Test
  void manyAreForeseenDecidedAndTakenBack() {
    for (int i = 0; i < 12; i++) {
      clash("bill", "b" + i, "note", "left", "right");
    }
    try (Visitor visitor = admin(Look.DESK)) {
      visitor.open("reviews?type=bill");
      visitor.page.getByText("Decide all of these as a rule would").click();
      visitor.page.getByText("Preview", new Page.GetByTextOptions().setExact(true)).click();
      visitor.page.getByText("Decide these 12").click();
      visitor.sees("12 decided");
      assertThat(served.get("/v1/main/reviews").body()).contains("\"total\":0");
      visitor.page.getByText("Take all of it back").click();
      visitor.sees("12 wait again");
      assertThat(served.get("/v1/main/reviews").body()).contains("\"total\":12");
      visitor.wasServedWell();
    }
  }

  @Test
  void twoPersonsDecideOneAfterTheOther() {
    clash("bill", "b", "amount", "2", "3");
    for (String name : List.of("eve", "fay")) {
      try (Visitor visitor =
          browser.visit(served, served.account(name, "reviewer@main"), Look.DESK)) {
        visitor.open("reviews/" + review(0));
        visitor.sees("Two persons decide this");
        visitor.page.getByText("Use this", new Page.GetByTextOptions().setExact(true)).click();
        visitor.sees(name.equals("eve") ? "Approved" : "Nothing waits for you");
        visitor.wasServedWell();
      }
    }
  }

  @Test
  void theSliderShowsWhatARecordWas() {
    clash("cart", "c", "note", "x", "y");
    try (Visitor visitor = admin(Look.DESK)) {
      visitor.open("record/cart/c");
      visitor.sees("what readers saw then (3 of 3)");
      visitor.picture("record-of-three");
      assertThat(visitor.page.locator(".causality .version.beside").count()).isEqualTo(2);
      visitor.page.focus(".slider");
      visitor.press("Home");
      visitor.sees("what readers saw then (1 of 3)");
      assertThat(visitor.page.innerText(".slider ~ .values")).contains("as agreed");
      visitor.press("ArrowRight");
      visitor.sees("what readers saw then (2 of 3)");
      assertThat(visitor.page.innerText(".slider ~ .values")).contains("\"x\"");
      visitor.wasServedWell();
    }
  }

  @Test
  void aPolicyIsWrittenWithHelpTriedAndPutInForce() {
    clash("bill", "b", "note", "left", "right");
    try (Visitor visitor = admin(Look.DESK)) {
      visitor.open("policies/bill");
      visitor.sees("1 recorded conflicts: 0 settled by rule now");
      visitor.page.getByLabel("policy of bill").fill("type: bill\ndefault: last");
      visitor.press("End", "Control+Space");
      assertThat(visitor.page.getByLabel("policy of bill").inputValue())
          .isEqualTo("type: bill\ndefault: last-writer-wins");
      visitor.sees("1 with this draft");
      visitor.page.getByLabel("policy of bill").fill("type: bill\nfields: {note: highest-valeu}");
      visitor.sees("highest-value");
      visitor.page.getByText("line 2").click();
      visitor.page.getByLabel("policy of bill").fill("type: bill\ndefault: last-writer-wins\n");
      visitor
          .page
          .getByRole(AriaRole.BUTTON, new Page.GetByRoleOptions().setName("Put in force"))
          .click();
      visitor.sees("in force");
      visitor.wasServedWell();
    }
    assertThat(served.get("/v1/main/reviews").body()).contains("reviews");
    assertThat(served.get("/v1/main/policies/bill").body()).contains("default: last-writer-wins");
  }

  @Test
  void anOperatorFreezesWhatIsHotAndThawsIt() {
    clash("cart", "hot", "note", "x", "y");
    try (Visitor visitor = admin(Look.DESK)) {
      visitor.open("operate");
      visitor.page.getByLabel("freeze cart/hot").click();
      visitor.sees("main/cart/hot");
      assertThat(served.json("PUT", "/v1/main/records/cart/hot", "{}").status()).isEqualTo(423);
      visitor.page.getByLabel("thaw main/cart/hot").click();
      visitor.sees("1 write was refused meanwhile");
      visitor.wasServedWell();
    }
    assertThat(served.json("PUT", "/v1/main/records/cart/hot", "{}").status()).isEqualTo(200);
  }

  @Test
  void anOfficerFindsGivesOutAndErases() {
    served.json("PUT", "/v1/main/records/patient/p7", "{\"name\":\"Ada Lovelace\"}");
    try (Visitor visitor = admin(Look.DESK)) {
      visitor.open("subjects");
      visitor.page.getByLabel("Name, number, address").fill("Lovelace");
      visitor.page.getByText("Find", new Page.GetByTextOptions().setExact(true)).click();
      visitor.sees("patient/p7");
      Download export =
          visitor.page.waitForDownload(() -> visitor.page.getByLabel("export patient/p7").click());
      assertThat(export.suggestedFilename()).isEqualTo("patient-p7.ndjson");
      visitor.page.getByLabel("erase patient/p7").click();
      visitor.sees("cannot be undone");
      visitor.page.getByLabel("Why").fill("request 12");
      visitor
          .page
          .getByRole(AriaRole.BUTTON, new Page.GetByRoleOptions().setName("Erase it for good"))
          .click();
      visitor.sees("nobody reads it any more");
      visitor.sees("None, as records are now");
      visitor.wasServedWell();
    }
    assertThat(served.get("/v1/main/records/patient/p7").status()).isEqualTo(404);
    assertThat(served.get("/v1/main/erasures").body()).contains("request 12");
  }

  @Test
  void anAdministratorLetsSomebodyInAndOutAgain() {
    try (Visitor visitor = admin(Look.DESK)) {
      visitor.open("accounts");
      visitor.page.getByLabel("Name").fill("ann");
      visitor.page.getByLabel("Grants").fill("reader@main");
      visitor.page.getByText("Make", new Page.GetByTextOptions().setExact(true)).click();
      visitor.page.getByText("Make a token").click();
      visitor.sees("Shown this once");
      String token =
          visitor.page.locator("code", new Page.LocatorOptions().setHasText("ent_")).innerText();
      String[] ann = {"Authorization", "Bearer " + token};
      assertThat(served.json("GET", "/v1/main/reviews", "", ann).status()).isEqualTo(200);
      visitor.open("accounts/ann");
      visitor.page.getByText("Revoke", new Page.GetByTextOptions().setExact(true)).click();
      visitor.sees("None.");
      assertThat(served.json("GET", "/v1/main/reviews", "", ann).status()).isEqualTo(401);
      visitor.wasServedWell();
    }
  }

  @Test
  void whoMayOnlyReadIsShownWhatTheyMay() {
    clash("bill", "b", "note", "left", "right");
    try (Visitor visitor = browser.visit(served, served.account("rob", "reader@main"), Look.DESK)) {
      assertThat(visitor.page.isVisible("[data-page=accounts]")).isFalse();
      visitor.open("reviews/" + review(0));
      visitor.page.getByText("Use this", new Page.GetByTextOptions().setExact(true)).click();
      visitor.sees("this takes a role that includes \"review\"");
      visitor.open("audit");
      visitor.sees("this takes a role that includes \"audit\"");
      visitor.wasServedWell();
    }
  }

  @Test
  void conflictsAppearWhileTheyHappen() {
    try (Visitor visitor = admin(Look.DESK)) {
      visitor.open("live");
      visitor.sees("Live: conflicts appear");
      clash("cart", "c", "note", "x", "y");
      visitor.sees("note by last-writer-wins");
      visitor.page.getByLabel("Only with").fill("nothing of the kind");
      assertThat(visitor.page.locator(".card.fresh").first().isVisible()).isFalse();
      visitor.wasServedWell();
    }
  }

  @Test
  void nothingThatPeopleWriteIsTakenForMarkup() {
    policy(HOSTILE, "type: \"" + HOSTILE + "\"\ndefault: manual-review\n# " + HOSTILE + "\n");
    clash(HOSTILE, HOSTILE, HOSTILE, HOSTILE + "1", HOSTILE + "2");
    clash("bill", "b", "note", HOSTILE, "right");
    String review = "/v1/main/reviews/" + review(0);
    served.json("POST", review + "/notes", "{\"text\":\"" + HOSTILE + "\"}");
    served.json("POST", review + "/assign", "{\"owner\":\"" + HOSTILE + "\"}");
    served.json("PUT", "/v1/main/views/" + escaped(HOSTILE), "{\"filter\":{\"owner\":\"-\"}}");
    served.json("POST", "/v1/main/freezes", "{\"type\":\"x\",\"reason\":\"" + HOSTILE + "\"}");
    served.account("eve", "reviewer@main");
    String decided = "/v1/main/reviews/" + review(1) + "/decision";
    served.json("POST", decided, "{\"choose\":0,\"reason\":\"" + HOSTILE + "\"}");
    try (Visitor visitor = admin(Look.DESK)) {
      String type = escaped(HOSTILE);
      for (String page : PAGES) {
        visitor.open(page);
      }
      for (String page :
          List.of(
              "reviews/" + review(0),
              "record/" + type,
              "record/" + type + "/" + type,
              "policies/" + type,
              "reviews?type=" + type,
              "audit?subject=" + type)) {
        visitor.open(page);
        visitor.page.waitForTimeout(150);
        assertThat(visitor.page.innerText("#main")).as(page).contains("onerror");
      }
      assertThat(visitor.page.evaluate("window.hacked")).isNull();
      assertThat(visitor.page.locator("#main img").count()).isZero();
      visitor.wasServedWell();
    }
  }
}
