// The most helpful reviews of a marketplace and product category.
import { bar, card, element, hidden, picker, table, toolbar } from "./dom.js";
import { count, instant } from "./format.js";
import { report } from "./read.js";

const readable = (category) => category.replaceAll("_", " ");

function stars(row) {
  if (row.average_stars === null) return "–";
  const of = element("span", { class: "stars", "aria-hidden": "true" });
  of.style.setProperty("--share", `${20 * Number(row.average_stars)}%`);
  return [of, Number(row.average_stars).toFixed(2), hidden(" of 5 stars")];
}

export async function reviews(parameters, go) {
  const found = await report("top-reviews", {
    marketplace: parameters.marketplace,
    product_category: parameters.category,
  });
  const of = (place) =>
    found.groups.filter((group) => group.marketplace === place).map((group) => group.product_category);
  const places = [...new Set(found.groups.map((group) => group.marketplace))];
  const choose = toolbar(
    picker(
      "Marketplace",
      "marketplace",
      places.map((one) => [one, one]),
      found.marketplace,
      (marketplace) =>
        go({
          marketplace,
          category: of(marketplace).includes(found.product_category)
            ? found.product_category
            : of(marketplace)[0],
        }),
    ),
    picker(
      "Product category",
      "category",
      of(found.marketplace).map((one) => [one, readable(one)]),
      found.product_category,
      (category) => go({ marketplace: found.marketplace, category }),
    ),
  );
  const heading = element("div", { class: "heading" }, element("h2", {}, "Top reviews"), choose);
  if (!found.reviews.length) {
    const text = "The report holds no review of this marketplace and category: choose another above.";
    return { render: () => [heading, card("No reviews", element("p", {}, text))] };
  }
  const most = Math.max(1, ...found.reviews.map((row) => row.helpful_votes ?? 0));
  const votes = (row) => bar((row.helpful_votes ?? 0) / most, count(row.helpful_votes));
  const columns = [
    { title: "#", cell: (row) => String(found.reviews.indexOf(row) + 1), number: true },
    { title: "Product", cell: (row) => row.product_title, head: true, class: "wide" },
    { title: "Helpful votes", cell: votes, number: true },
    { title: "Product's stars", cell: stars, number: true },
    { title: "Review", cell: (row) => element("code", {}, row.review_id) },
  ];
  const where = `${readable(found.product_category)}, ${found.marketplace}`;
  return {
    render: () => [
      heading,
      card(
        `The most helpful in ${where}`,
        table(`The ${found.reviews.length} most helpful reviews in ${where}`, columns, found.reviews),
        element(
          "p",
          { class: "muted" },
          `Stars are the average over all reviews of the product. Written ${instant(found.written_at)}.`,
        ),
      ),
    ],
  };
}
