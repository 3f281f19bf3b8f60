// A button that copies the text of another element. Without a script, or where the browser does not
// let it, the text can be selected.

for (const button of document.querySelectorAll("button[data-copies]")) {
    const said = button.parentElement.querySelector("[role=status]");
    if (navigator.clipboard) {
        button.parentElement.hidden = false;
        button.addEventListener("click", async () => {
            await navigator.clipboard.writeText(document.getElementById(button.dataset.copies).textContent);
            said.textContent = button.dataset.copied;
        });
    }
}
