// Recovery codes: printing them, and keeping them in a file. Without a script they can be selected,
// and the browser prints them all the same.

const codes = document.getElementById("codes").textContent.trim();
const save = document.getElementById("save");

document.getElementById("print").addEventListener("click", () => print());

save.addEventListener("click", () => {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([codes, "\n"], { type: "text/plain" }));
    link.download = save.dataset.name;
    link.click();
    URL.revokeObjectURL(link.href);
});

for (const place of document.querySelectorAll(".saving")) {
    place.hidden = false;
}
